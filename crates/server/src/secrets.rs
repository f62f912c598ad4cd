//! How the command line is given secrets: a file, a terminal that shows nothing, or a line of standard input. Never its arguments,
//! which every user of the machine may see.

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write, stdin},
    path::Path,
};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Bytes of a secret with its line feed.
const SECRET_BYTES_MAX: usize = 1_025;

/// Reads the one line of a file, or of `/dev/fd/N`.
pub(crate) fn from_file(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut file = File::open(path)?;
    read_line(|byte| file.read(byte))
}

/// Asks for a secret: where standard input is a terminal, with a prompt and without an echo.
pub(crate) fn ask(prompt: &str) -> io::Result<Zeroizing<String>> {
    // Without a buffer, which nobody would wipe, and which would keep the lines of a later question.
    let read = || read_line(|byte| Ok(rustix::io::read(stdin(), byte)?));
    if !stdin().is_terminal() {
        return read();
    }
    let mut told = io::stderr();
    write!(told, "{prompt}: ")?;
    told.flush()?;
    let modes = tcgetattr(stdin())?;
    let mut silent = modes.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(stdin(), OptionalActions::Flush, &silent)?;
    let line = read();
    tcsetattr(stdin(), OptionalActions::Now, &modes)?;
    writeln!(told)?;
    line
}

/// Asks for a new passphrase: twice on a terminal, where a slip cannot be seen.
pub(crate) fn ask_new() -> io::Result<Zeroizing<String>> {
    let passphrase = ask("New passphrase of the root key")?;
    if stdin().is_terminal() && *ask("Once more")? != *passphrase {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the two are not the same"));
    }
    Ok(passphrase)
}

/// One line, byte by byte, so that nothing behind it is taken.
fn read_line(
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
) -> io::Result<Zeroizing<String>> {
    let invalid = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut line = Zeroizing::new(Vec::with_capacity(SECRET_BYTES_MAX));
    let mut byte = Zeroizing::new([0]);
    while line.len() < SECRET_BYTES_MAX && read(byte.as_mut_slice())? > 0 {
        if byte.as_slice() == b"\n" {
            break;
        }
        line.extend_from_slice(byte.as_slice());
    }
    if line.is_empty() || line.len() == SECRET_BYTES_MAX {
        return Err(invalid("expected one line of 1 to 1024 bytes"));
    }
    let text = std::str::from_utf8(&line).map_err(|_| invalid("expected a line of UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_at_its_line_feed_and_takes_nothing_more() {
        let mut text = &b"one two\nthree"[..];
        assert_eq!(*read_line(|byte| text.read(byte)).unwrap(), "one two");
        assert_eq!(*read_line(|byte| text.read(byte)).unwrap(), "three");
        assert!(read_line(|byte| text.read(byte)).is_err(), "nothing is left");
    }

    #[test]
    fn a_secret_has_a_bound() {
        for (bytes, is_taken) in [(SECRET_BYTES_MAX - 1, true), (SECRET_BYTES_MAX, false)] {
            let text = vec![b'x'; bytes];
            let mut rest = text.as_slice();
            assert_eq!(read_line(|byte| rest.read(byte)).is_ok(), is_taken, "{bytes} bytes");
        }
        let mut wrong = &b"\xff\n"[..];
        assert!(read_line(|byte| wrong.read(byte)).is_err());
    }
}
