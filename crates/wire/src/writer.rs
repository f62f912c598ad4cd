//! The bytes of an answer while it is written.

use std::io;

use zeroize::Zeroize;

/// Room for every answer of the data plane up to a plaintext of about 500 bytes.
const CAPACITY_BYTES_FIRST: usize = 1024;

/// A `Vec<u8>` that overwrites the memory that it grows out of.
pub(crate) struct SecretWriter(Vec<u8>);

impl SecretWriter {
    pub(crate) fn new() -> SecretWriter {
        SecretWriter(Vec::with_capacity(CAPACITY_BYTES_FIRST))
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        let mut larger = Vec::with_capacity(needed.saturating_mul(2));
        larger.extend_from_slice(&self.0);
        self.0.zeroize();
        self.0 = larger;
    }
}

impl io::Write for SecretWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            self.grow(needed);
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_written_stays_while_it_grows() {
        let mut writer = SecretWriter::new();
        let mut expected = Vec::new();
        for length in [0, 1, 1000, 23, 1, 5000, 70_000] {
            let piece: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            writer.write_all(&piece).unwrap();
            expected.extend(piece);
        }
        assert_eq!(writer.into_bytes(), expected);
    }
}
