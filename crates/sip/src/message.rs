//! A SIP message as it lies on the wire (RFC 3261 section 7): just enough reading to judge and to refuse it.
//!
//! Nothing is believed here: names are compared without case and in their short forms, folded lines are joined,
//! bytes that are no UTF-8 are replaced. A message that has passed is written anew ([`Wire::rewritten`]), so that what
//! comes after sees one spelling only.

use std::borrow::Cow;

/// Short forms (RFC 3261 section 7.3.3 and the registry).
const SHORT: &[(&str, &str)] = &[
    ("a", "Accept-Contact"),
    ("c", "Content-Type"),
    ("e", "Content-Encoding"),
    ("f", "From"),
    ("i", "Call-ID"),
    ("k", "Supported"),
    ("l", "Content-Length"),
    ("m", "Contact"),
    ("o", "Event"),
    ("r", "Refer-To"),
    ("s", "Subject"),
    ("t", "To"),
    ("u", "Allow-Events"),
    ("v", "Via"),
    ("x", "Session-Expires"),
];

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Request {
        method: String,
        uri: String,
        version: String,
    },
    Response {
        code: u16,
    },
}

/// A message in its parts.
#[derive(Clone, Debug)]
pub(crate) struct Wire<'a> {
    pub start: Start,
    first_line: Cow<'a, str>,
    headers: Vec<(String, String)>,
    /// All bytes after the empty line; Content-Length may say that fewer count.
    pub rest: &'a [u8],
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
}

fn is_version(text: &str) -> bool {
    let numbers = text
        .get(..4)
        .filter(|p| p.eq_ignore_ascii_case("SIP/"))
        .and_then(|_| text[4..].split_once('.'));
    numbers.is_some_and(|(a, b)| {
        [a, b]
            .iter()
            .all(|n| !n.is_empty() && n.len() < 10 && n.bytes().all(|c| c.is_ascii_digit()))
    })
}

fn split_head(data: &[u8]) -> (&[u8], &[u8]) {
    let end = |mark: &[u8]| {
        data.windows(mark.len())
            .position(|w| w == mark)
            .map(|i| (i, i + mark.len()))
    };
    match end(b"\r\n\r\n").or_else(|| end(b"\n\n")) {
        Some((head, body)) => (&data[..head], &data[body..]),
        None => (data, &[]),
    }
}

impl<'a> Wire<'a> {
    /// Reads a datagram; `None` if it is not SIP at all. Empty lines before the first are skipped (RFC 3261 section
    /// 7.5).
    pub(crate) fn read(datagram: &'a [u8]) -> Option<Self> {
        let begin = datagram.iter().position(|b| !matches!(b, b'\r' | b'\n'))?;
        let (head, rest) = split_head(&datagram[begin..]);
        let mut lines = head
            .split(|b| *b == b'\n')
            .map(|l| l.strip_suffix(b"\r").unwrap_or(l));
        let first_line = String::from_utf8_lossy(lines.next()?);
        let start = read_start(&first_line)?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            let text = String::from_utf8_lossy(line);
            if text.starts_with([' ', '\t']) {
                if let Some((_, value)) = headers.last_mut() {
                    if !value.is_empty() {
                        value.push(' ');
                    }
                    value.push_str(text.trim());
                }
                continue;
            }
            let Some((name, value)) = text.split_once(':') else {
                continue;
            };
            let name = name.trim();
            let long = SHORT
                .iter()
                .find(|(s, _)| s.eq_ignore_ascii_case(name))
                .map_or(name, |(_, l)| l);
            headers.push((long.to_owned(), value.trim().to_owned()));
        }
        Some(Wire {
            start,
            first_line,
            headers,
            rest,
        })
    }

    /// All values of a header, top first.
    pub(crate) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// The first value of a header.
    pub(crate) fn first<'s>(&'s self, name: &'s str) -> Option<&'s str> {
        self.all(name).next()
    }

    /// The top Via value; a line may hold several.
    pub(crate) fn top_via(&self) -> Option<&str> {
        self.first("Via")
            .map(|v| split_commas(v).next().unwrap_or(v).trim())
            .filter(|v| !v.is_empty())
    }

    /// The body: as long as Content-Length says, else all of the datagram (RFC 3261 section 18.3). `None` if the
    /// datagram is shorter than it says, or it says nonsense.
    pub(crate) fn body(&self) -> Option<&'a [u8]> {
        match self.first("Content-Length") {
            Some(text) => self.rest.get(..text.parse::<usize>().ok()?),
            None => Some(self.rest),
        }
    }

    /// The message in plain spelling: long names, a line a header, Content-Length right.
    pub(crate) fn rewritten(&self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + body.len() + self.headers.len() * 48);
        match &self.start {
            Start::Request { method, uri, version } => {
                out.extend(format!("{method} {uri} {version}\r\n").bytes());
            }
            Start::Response { .. } => {
                out.extend(self.first_line.trim_end().bytes());
                out.extend(b"\r\n");
            }
        }
        for (name, value) in self
            .headers
            .iter()
            .filter(|(n, _)| !n.eq_ignore_ascii_case("Content-Length"))
        {
            out.extend(format!("{name}: {value}\r\n").bytes());
        }
        out.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
        out.extend(body);
        out
    }
}

fn read_start(line: &str) -> Option<Start> {
    let line = line.trim_end();
    let (first, rest) = line.split_once(' ')?;
    if is_version(first) {
        let code = rest
            .split(' ')
            .next()?
            .parse()
            .ok()
            .filter(|c| (100..700).contains(c))?;
        return Some(Start::Response { code });
    }
    // The URI may hold blanks that have no business there; it is judged later, method and version decide here.
    let (uri, version) = rest.trim_end().rsplit_once([' ', '\t'])?;
    if !is_token(first) || !is_version(version) {
        return None;
    }
    Some(Start::Request {
        method: first.to_owned(),
        uri: uri.to_owned(),
        version: version.to_uppercase(),
    })
}

/// Splits at commas that stand outside quotes and angle brackets.
pub(crate) fn split_commas(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut quoted, mut escaped, mut angle) = (false, false, false);
        for (i, c) in text.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '<' if !quoted => angle = true,
                '>' if !quoted => angle = false,
                ',' if !quoted && !angle => {
                    rest = Some(&text[i + 1..]);
                    return Some(&text[..i]);
                }
                _ => {}
            }
        }
        rest = None;
        Some(text)
    })
}

/// A From, To or Contact value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameAddr {
    /// Display name without its quotes; empty if there is none.
    pub display: String,
    pub uri: String,
    /// The `tag` parameter.
    pub tag: Option<String>,
}

impl NameAddr {
    /// Reads a value; `None` if quotes or brackets do not close or the URI is none.
    pub(crate) fn read(value: &str) -> Option<Self> {
        let value = value.trim();
        let (display, rest) = match value.strip_prefix('"') {
            Some(quoted) => {
                let mut name = String::new();
                let mut chars = quoted.char_indices();
                let end = loop {
                    match chars.next()? {
                        (_, '\\') => name.push(chars.next()?.1),
                        (i, '"') => break i,
                        (_, c) => name.push(c),
                    }
                };
                (name, quoted[end + 1..].trim_start())
            }
            None => match value.find('<') {
                Some(i) => (value[..i].trim().to_owned(), &value[i..]),
                None => (String::new(), value),
            },
        };
        let (uri, params) = match rest.strip_prefix('<') {
            Some(inner) => inner.split_once('>')?,
            None if display.is_empty() && !value.starts_with('"') => rest
                .split_once(';')
                .map_or((rest, ""), |(u, _)| (u, &rest[u.len()..])),
            None => return None,
        };
        let uri = uri.trim();
        if !is_uri(uri) || display.contains(['<', '>']) && !value.starts_with('"') {
            return None;
        }
        let tag = params.split(';').find_map(|p| {
            let (name, value) = p.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("tag")
                .then(|| value.trim().to_owned())
        });
        Some(NameAddr {
            display,
            uri: uri.to_owned(),
            tag: tag.filter(|t| !t.is_empty()),
        })
    }
}

/// Has the text a scheme and something after it, and no blanks or brackets?
pub(crate) fn is_uri(text: &str) -> bool {
    let scheme = |s: &str| {
        s.starts_with(|c: char| c.is_ascii_alphabetic())
            && s.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    let clean = !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c));
    clean
        && text
            .split_once(':')
            .is_some_and(|(s, rest)| scheme(s) && !rest.is_empty())
}

/// The user part of a URI, unescaped; `None` if it has none.
pub(crate) fn user_of(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    let user = if scheme.eq_ignore_ascii_case("tel") {
        rest.split(';').next()?
    } else {
        let (user, _) = rest.split_once('@')?;
        user.split([':', ';']).next()?
    };
    let mut bytes = Vec::with_capacity(user.len());
    let mut rest = user.as_bytes();
    while let Some((&b, tail)) = rest.split_first() {
        let hex = (b == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(value) => {
                bytes.push(value);
                rest = &tail[2..];
            }
            None => {
                bytes.push(b);
                rest = tail;
            }
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned()).filter(|u| !u.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_addresses() {
        let read = |v| NameAddr::read(v).map(|n| (n.display, n.uri, n.tag.unwrap_or_default()));
        let ok = |d: &str, u: &str, t: &str| Some((d.to_owned(), u.to_owned(), t.to_owned()));
        assert_eq!(
            read("\"A. G. \\\"B\\\" <x>\" <sip:a@b>;tag=1"),
            ok("A. G. \"B\" <x>", "sip:a@b", "1")
        );
        assert_eq!(
            read("Bell <sip:a@b;x=1> ; Tag = q"),
            ok("Bell", "sip:a@b;x=1", "q")
        );
        assert_eq!(read("sip:a@b;tag=7"), ok("", "sip:a@b", "7"));
        assert_eq!(read("<tel:+390415550101>"), ok("", "tel:+390415550101", ""));
        for wrong in [
            "\"open <sip:a@b>",
            "<sip:a@b",
            "",
            "A B",
            "\"x\" sip:a@b",
            "<sip:a b@c>",
            "<noscheme>",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn users_are_unescaped() {
        assert_eq!(user_of("sip:%61lice;x@h").as_deref(), Some("alice"));
        assert_eq!(user_of("sip:bob:secret@h").as_deref(), Some("bob"));
        assert_eq!(user_of("tel:+39;ext=1").as_deref(), Some("+39"));
        assert_eq!(user_of("sip:host"), None);
        assert_eq!(user_of("sip:50%@h").as_deref(), Some("50%"));
    }

    #[test]
    fn commas_split_outside_quotes_only() {
        let got: Vec<&str> = split_commas("a,\"b,\\\"c\",<d,e>,f").collect();
        assert_eq!(got, ["a", "\"b,\\\"c\"", "<d,e>", "f"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Wire::read(&bytes);
        }

        #[test]
        fn any_text_is_an_address_or_not(text in "[\"<>;:,= a-z%0-9@\\\\]{0,40}") {
            let _ = NameAddr::read(&text);
            let _ = user_of(&text);
            let joined: Vec<&str> = split_commas(&text).collect();
            prop_assert_eq!(joined.join(","), text);
        }
    }
}
