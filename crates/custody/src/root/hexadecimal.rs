//! Secrets as hexadecimal digits, written and read where they are to stay.

/// Writes two digits for each byte, as far as `out` has room.
pub(super) fn write(secret: &[u8], out: &mut [u8]) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    for (pair, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(secret) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
}

/// Reads exactly as many bytes as `out` has; `None` if the digits are more, fewer, or none.
pub(super) fn read(digits: &[u8], out: &mut [u8]) -> Option<()> {
    let value =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        *byte = (value(*high)? << 4) | value(*low)?;
    }
    (pairs.len() == out.len()).then_some(())
}
