//! CBOR (RFC 8949) from strangers: one item, shallow, with nothing behind it.

use ciborium::Value;
use ciborium::de::from_reader_with_recursion_limit;

/// Depth to which items may be nested. A document needs three: tag, array and an item in it, or
/// map, map of registers and an item in that.
const DEPTH_MAX: usize = 4;

/// Reads one item; `None` when the bytes are not exactly that, or nest deeper than [`DEPTH_MAX`].
///
/// Keys of maps may repeat in what is read: who gives maps a meaning looks for that.
pub(crate) fn read(mut bytes: &[u8]) -> Option<Value> {
    let value = from_reader_with_recursion_limit(&mut bytes, DEPTH_MAX).ok()?;
    bytes.is_empty().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_and_no_more() {
        assert_eq!(read(&[0x01]), Some(Value::from(1)));
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[0x01, 0x01]), None);
        assert_eq!(read(&[0x81]), None);
        // A length that no memory holds.
        assert_eq!(read(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(read(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
    }

    #[test]
    fn nesting_ends() {
        for (opening, closing) in [(0x81, 0x01), (0xd2, 0x01), (0x9f, 0x01)] {
            let mut bytes = vec![opening; 200_000];
            bytes.push(closing);
            assert_eq!(read(&bytes), None);
        }
        let deepest = [&[0x81; DEPTH_MAX][..], &[0x01]].concat();
        assert!(read(&deepest).is_some());
        assert_eq!(read(&[&[0x81], &deepest[..]].concat()), None);
    }
}
