//! Writes an attestation document for a test that is not written in Rust.
//!
//! ```text
//! attestation_document ROOT_PEM ROOT_KEY_PEM RECIPIENT_KEY_PEM DOCUMENT [SETTING=VALUE ...]
//! ```
//!
//! The first three files are read where they exist and made where they do not, so that a server can
//! be told to trust `ROOT_PEM` once and be sent many documents. Settings: `PCR0=HEX` to
//! `PCR31=HEX` and `NitroTPMPCR0=HEX` to `NitroTPMPCR31=HEX`, in place of the registers that
//! [`Claims::new`] has (the two cannot both be in a genuine document); `MODULE_ID=TEXT`;
//! `AGE_SECONDS=NUMBER`, negative for the future.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use attestation::testing::{Claims, Enclave, Recipient, Root};
use jiff::{SignedDuration, Timestamp};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [root, root_key, recipient_key, document, settings @ ..] = arguments.as_slice() else {
        return Err("ROOT_PEM ROOT_KEY_PEM RECIPIENT_KEY_PEM DOCUMENT [SETTING=VALUE ...]".into());
    };
    let root = kept_root(Path::new(root), Path::new(root_key))?;
    let recipient = kept_recipient(Path::new(recipient_key))?;
    #[expect(clippy::disallowed_methods, reason = "the clock of whoever runs this")]
    let now = Timestamp::now();
    let mut claims = Claims::new(now, &recipient.public_key_der());
    if settings.iter().any(|setting| setting.contains("PCR")) {
        claims.pcrs.clear();
    }
    for setting in settings {
        let (name, value) = setting.split_once('=').ok_or("a setting is SETTING=VALUE")?;
        set(&mut claims, name, value)?;
    }
    fs::write(document, Enclave::new(&root, now).attest(&claims))?;
    Ok(())
}

/// The root whose key is in `key`, or a new one; its certificate is in `certificate` afterwards.
fn kept_root(certificate: &Path, key: &Path) -> Outcome<Root> {
    let root = if key.exists() {
        Root::from_key_pem(&fs::read_to_string(key)?)?
    } else {
        let root = Root::generate();
        fs::write(key, root.key_pem())?;
        root
    };
    if !certificate.exists() {
        fs::write(certificate, root.certificate_pem())?;
    }
    Ok(root)
}

/// The recipient whose key is in `key`, or a new one.
fn kept_recipient(key: &Path) -> Outcome<Recipient> {
    if key.exists() {
        return Ok(Recipient::from_key_pem(&fs::read_to_string(key)?)?);
    }
    let recipient = Recipient::generate();
    fs::write(key, recipient.key_pem())?;
    Ok(recipient)
}

/// Makes the document say this.
fn set(claims: &mut Claims, name: &str, value: &str) -> Outcome<()> {
    if let Some(index) = name.strip_prefix("PCR") {
        claims.pcrs.insert(index.parse()?, bytes(value)?);
    } else if let Some(index) = name.strip_prefix("NitroTPMPCR") {
        claims.nitro_tpm_pcrs.insert(index.parse()?, bytes(value)?);
    } else if name == "MODULE_ID" {
        value.clone_into(&mut claims.module_id);
    } else if name == "AGE_SECONDS" {
        claims.time = claims.time.checked_sub(SignedDuration::from_secs(value.parse()?))?;
    } else {
        return Err(format!("there is no setting {name}").into());
    }
    Ok(())
}

/// Bytes written in hexadecimal.
fn bytes(hexadecimal: &str) -> Outcome<Vec<u8>> {
    let digits: Option<Vec<u32>> = hexadecimal.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or("not hexadecimal")?;
    let (pairs, _) = digits.as_chunks::<2>();
    Ok(pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low)).collect::<Result<_, _>>()?)
}
