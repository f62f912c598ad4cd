//! What the server says at its start: where it is reached, and lines for another terminal that work as they stand.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::Path,
};

/// What the lines are about.
pub(crate) struct Banner<'a> {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    /// The certificate chain when the API listener speaks TLS.
    pub(crate) certificate: Option<&'a Path>,
    pub(crate) is_admin_tls: bool,
    pub(crate) root_credentials: &'a Path,
    pub(crate) region: &'a str,
    pub(crate) is_first_start: bool,
    pub(crate) is_root_key_file: bool,
}

const ROOT_KEY_FILE_WARNING: &str = "\
Warning: the root key is a file in the data directory. It protects from nothing but the
tampering with rows by those who cannot read that file: whoever copies the directory has the keys.
";

/// Writes what a sealed server says.
pub(crate) fn write_sealed(
    listen: SocketAddr,
    is_tls: bool,
    admin_listen: SocketAddr,
    is_admin_tls: bool,
    data_dir: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    write!(
        out,
        "Keystead {} listens on {}\nHealth and metrics on {}\n\
         Sealed: it answers nobody before `keystead unseal --data-dir {}`\n",
        env!("CARGO_PKG_VERSION"),
        url(listen, is_tls),
        url(admin_listen, is_admin_tls),
        quoted(data_dir),
    )?;
    out.flush()
}

impl Banner<'_> {
    /// Writes all of it at once, so that a reader of a pipe sees it whole.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(self.text().as_bytes())?;
        out.flush()
    }

    fn text(&self) -> String {
        let url = url(self.listen, self.certificate.is_some());
        let credentials = quoted(&self.root_credentials.display().to_string());
        let first_start = if self.is_first_start {
            format!(
                "First start: the root user's access key is in {credentials}\n\
                 (mode 0600). Whoever reads that file may do everything in the account.\n"
            )
        } else {
            String::new()
        };
        let trust = self.certificate.map_or_else(String::new, |certificate| {
            format!("export AWS_CA_BUNDLE={}\n", quoted(&certificate.display().to_string()))
        });
        let warning = if self.is_root_key_file { ROOT_KEY_FILE_WARNING } else { "" };
        format!(
            r#"Keystead {version} listens on {url}
Health and metrics on {admin_url}
{first_start}{warning}
In another terminal:

unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE
export AWS_SHARED_CREDENTIALS_FILE={credentials}
export AWS_ENDPOINT_URL_KMS={url}
export AWS_ENDPOINT_URL_STS={url}
export AWS_REGION={region} AWS_DEFAULT_REGION={region}
{trust}KEY=$(aws kms create-key --query KeyMetadata.KeyId --output text)
echo hello > hello.txt
aws kms encrypt --key-id "$KEY" --plaintext fileb://hello.txt \
  --query CiphertextBlob --output text | base64 --decode > hello.encrypted
aws kms decrypt --ciphertext-blob fileb://hello.encrypted \
  --query Plaintext --output text | base64 --decode

"#,
            version = env!("CARGO_PKG_VERSION"),
            admin_url = self::url(self.admin_listen, self.is_admin_tls),
            region = self.region,
        )
    }
}

/// An address that means "every interface" is reached on this machine by its name.
fn url(address: SocketAddr, is_tls: bool) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    if address.ip().is_unspecified() {
        return format!("{scheme}://localhost:{}", address.port());
    }
    format!("{scheme}://{address}")
}

/// The text as one word of a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%=".contains(&byte) || byte >= 0x80;
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_the_shell() {
        assert_eq!(quoted("/var/lib/keystead"), "/var/lib/keystead");
        assert_eq!(quoted("/a b/$(c)"), "'/a b/$(c)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn an_address_of_every_interface_is_told_by_a_name_that_works() {
        assert_eq!(url("0.0.0.0:1".parse().unwrap(), true), "https://localhost:1");
        assert_eq!(url("[::1]:2".parse().unwrap(), false), "http://[::1]:2");
    }
}
