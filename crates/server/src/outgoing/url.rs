//! The URLs that the server calls: https, and http where nobody else hears it.

use std::net::IpAddr;

use http::Uri;

use crate::configuration::is_loopback;

/// Characters of a URL.
const URL_CHARACTERS_MAX: usize = 2_048;

/// A URL that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    is_tls: bool,
    host: String,
    port: u16,
    path: String,
}

impl Url {
    /// Reads one; none if it is not https (or http to a loopback address), or names a user.
    pub fn parse(text: &str) -> Option<Url> {
        let uri: Uri = text.parse().ok().filter(|_| text.len() <= URL_CHARACTERS_MAX)?;
        let is_tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        let host = authority.host();
        // The library takes a port that is none for no port; and what names a user is not a host and a port.
        let port = match authority.as_str().strip_prefix(host)? {
            "" if is_tls => 443,
            "" => 80,
            rest => rest.strip_prefix(':')?.parse().ok()?,
        };
        // In a URL an address of IPv6 stands in brackets; nowhere else.
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_heard_by_nobody = host.parse().is_ok_and(|address: IpAddr| is_loopback(address));
        if host.is_empty() || !(is_tls || is_heard_by_nobody) {
            return None;
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Some(Url { is_tls, host: host.to_owned(), port, path })
    }

    /// Whether it is https.
    pub(crate) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The name or address of the host, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where the URL leaves it out.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The path and the query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What the header `Host` says.
    pub(crate) fn host_header(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false if self.port == 443 => self.host.clone(),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Whether both are answered by one server.
    pub(crate) fn has_origin_of(&self, other: &Url) -> bool {
        self.is_tls == other.is_tls
            && self.host.eq_ignore_ascii_case(&other.host)
            && self.port == other.port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let parts = |text| {
            Url::parse(text).map(|url| {
                (
                    url.is_tls,
                    url.host().to_owned(),
                    url.port,
                    url.path().to_owned(),
                    url.host_header(),
                )
            })
        };
        let expected = |is_tls, host: &str, port, path: &str, header: &str| {
            Some((is_tls, host.to_owned(), port, path.to_owned(), header.to_owned()))
        };
        assert_eq!(
            parts("https://a.example.com"),
            expected(true, "a.example.com", 443, "/", "a.example.com")
        );
        assert_eq!(
            parts("https://[2001:db8::1]:6443/x?y=z#f"),
            expected(true, "2001:db8::1", 6443, "/x?y=z", "[2001:db8::1]:6443")
        );
        assert_eq!(
            parts("http://127.0.0.1:80/k"),
            expected(false, "127.0.0.1", 80, "/k", "127.0.0.1:80")
        );
    }

    #[test]
    fn what_must_not_be_fetched_is_no_url() {
        let long = format!("https://a/{}", "b".repeat(URL_CHARACTERS_MAX));
        for text in [
            "http://a.example.com/",
            "http://10.0.0.1/",
            "http://localhost/",
            "ftp://a.example.com/",
            "file:///etc/passwd",
            "https://user@a.example.com/",
            "https://a.example.com:99999/",
            "https://a.example.com:/",
            "https://a.example.com@a.example.com/",
            "https://a.example.com:443@b.example.com/",
            "https:///x",
            "/x",
            "a.example.com",
            "",
            &long,
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }
}
