//! An HTTP request as the verifier sees it: borrowed, raw, in arrival order.

use crate::limits::{HEADERS_MAX, METHOD_BYTES_MAX, PATH_BYTES_MAX};
use crate::refusal::Refusal;

/// A request as it arrived. Nothing in it has been decoded, folded or reordered.
#[derive(Clone, Copy)]
pub struct HttpRequest<'a> {
    /// The method, such as `POST`.
    pub method: &'a str,
    /// The path of the request target, still percent-encoded.
    pub path: &'a str,
    /// The query string without its `?`, still percent-encoded; `None` where there was no `?`.
    pub query: Option<&'a str>,
    /// The headers in arrival order, names in lower case, repeated ones repeated.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Exactly the bytes that the service will parse.
    pub body: &'a [u8],
}

impl<'a> HttpRequest<'a> {
    /// The values of all headers called `name`.
    pub(crate) fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let headers = self.headers;
        headers.iter().filter(move |(given, _)| *given == name).map(|(_, value)| *value)
    }

    /// The value of the header `name`, which may stand there once at most.
    pub(crate) fn single(&self, name: &'static str) -> Result<Option<&'a [u8]>, Refusal> {
        let mut values = self.values(name);
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(Refusal::repeated_header(name)),
        }
    }

    /// Refuses what no HTTP/1.1 parser of ours lets through, so that nothing below depends on that
    /// parser.
    ///
    /// A header name in upper case would slip past the set of headers that must be signed.
    pub(crate) fn check_form(&self) -> Result<(), Refusal> {
        if self.headers.len() > HEADERS_MAX {
            return Err(Refusal::TooLarge { what: "header count" });
        }
        if self.path.len() > PATH_BYTES_MAX {
            return Err(Refusal::TooLarge { what: "path" });
        }
        let method_is_token =
            !self.method.is_empty() && self.method.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !method_is_token || self.method.len() > METHOD_BYTES_MAX {
            return Err(Refusal::malformed_header("method"));
        }
        match self.headers.iter().find(|(name, _)| !is_header_name(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Refusal::malformed_header(name)),
        }
    }

    /// Whether `other` is this request, byte for byte. The usual case, the very same memory, costs
    /// nothing.
    pub(crate) fn is(&self, other: &HttpRequest<'_>) -> bool {
        fn same<T: PartialEq>(one: &[T], other: &[T]) -> bool {
            std::ptr::eq(one, other) || one == other
        }
        self.method == other.method
            && self.path == other.path
            && self.query == other.query
            && same(self.headers, other.headers)
            && same(self.body, other.body)
    }
}

/// A token of RFC 9110 5.6.2 without upper-case letters.
pub(crate) fn is_header_name(name: &str) -> bool {
    let is_token =
        |byte: u8| HEADER_NAME_BYTES.get(usize::from(byte)).is_some_and(|is_token| *is_token);
    !name.is_empty() && name.bytes().all(is_token)
}

/// The bytes that such a token is made of; every request has a few hundred of them.
static HEADER_NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.!#$%&'*+^`|~";
    while let [byte, tail @ ..] = rest {
        #[expect(
            clippy::as_conversions,
            clippy::indexing_slicing,
            reason = "a byte is an index of 256 entries"
        )]
        {
            table[*byte as usize] = true;
        }
        rest = tail;
    }
    table
};
