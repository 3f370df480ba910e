//! Judgement of a datagram before anything acts on it (RFC 3261 sections 8.2, 16.3 and 21.4): what is not SIP is
//! ignored, what is wrong is refused at once and without state, the rest goes on in plain spelling.

use std::net::SocketAddr;

use crate::message::{NameAddr, Start, Wire, is_uri, split_commas};

/// Methods that are spoken here.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO";
/// Bodies that are understood in an INVITE.
pub(crate) const ACCEPT: &str = "application/sdp";
/// Longest datagram that is looked at.
pub(crate) const LONGEST: usize = 64 * 1024;

/// What to do with a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not SIP, or nothing that may be answered: count it and forget it.
    Junk,
    /// A keep-alive (RFC 5626 section 3.5.1): answer with CRLF.
    Ping,
    /// Refuse with this response, to this address.
    Refuse {
        code: u16,
        response: Vec<u8>,
        to: SocketAddr,
    },
    /// Go on with this spelling of it.
    Pass(Vec<u8>),
}

/// A refusal: status, reason phrase, header lines to add.
type Refusal = (u16, &'static str, Vec<String>);

fn bad(reason: &'static str) -> Refusal {
    (400, reason, Vec::new())
}

/// Judges a datagram from `source`. `allowed` says whether its sender may talk to us at all; `salt` makes the tags of
/// our refusals differ from box to box.
pub(crate) fn judge(datagram: &[u8], source: SocketAddr, allowed: bool, salt: u64) -> Verdict {
    if datagram == b"\r\n\r\n" {
        return Verdict::Ping;
    }
    let Some(wire) = Wire::read(datagram) else {
        return Verdict::Junk;
    };
    match &wire.start {
        Start::Response { .. } => {
            let complete = ["Via", "From", "To", "Call-ID", "CSeq"]
                .iter()
                .all(|n| wire.first(n).is_some());
            // From anywhere: whom we call need not be allowed to call us, and a response has to fit a request of ours.
            match wire.body() {
                Some(body) if complete => Verdict::Pass(wire.rewritten(body)),
                _ => Verdict::Junk,
            }
        }
        Start::Request { method, .. } => {
            let Some(via) = wire.top_via().and_then(Via::read) else {
                return Verdict::Junk;
            };
            let result = if allowed {
                request(&wire)
            } else {
                Err((403, "Forbidden", Vec::new()))
            };
            match result {
                Ok(body) => Verdict::Pass(wire.rewritten(body)),
                // An ACK is never answered (RFC 3261 section 17.2.1).
                Err(_) if method == "ACK" => Verdict::Junk,
                Err((code, reason, extra)) => {
                    let response = refusal(&wire, &via, source, code, reason, &extra, salt);
                    Verdict::Refuse {
                        code,
                        response,
                        to: via.answer_to(source),
                    }
                }
            }
        }
    }
}

fn request<'a>(wire: &Wire<'a>) -> Result<&'a [u8], Refusal> {
    let Start::Request { method, uri, version } = &wire.start else {
        return Err(bad("Not A Request"));
    };
    if version != "SIP/2.0" {
        return Err((505, "Version Not Supported", Vec::new()));
    }
    single_headers(wire)?;
    let (number, cseq_method) = wire
        .first("CSeq")
        .and_then(|v| v.split_once([' ', '\t']))
        .ok_or(bad("Bad CSeq"))?;
    // RFC 3261 section 8.1.1.5: below 2^31.
    number
        .parse::<u32>()
        .ok()
        .filter(|n| *n < 1 << 31)
        .ok_or(bad("Bad CSeq"))?;
    if cseq_method.trim() != method {
        return Err(bad("CSeq Method Does Not Match"));
    }
    let from = wire
        .first("From")
        .and_then(NameAddr::read)
        .ok_or(bad("Bad From"))?;
    if from.tag.is_none() {
        return Err(bad("From Without Tag"));
    }
    wire.first("To").and_then(NameAddr::read).ok_or(bad("Bad To"))?;
    if wire
        .first("Call-ID")
        .is_none_or(|v| v.is_empty() || v.contains(char::is_whitespace))
    {
        return Err(bad("Bad Call-ID"));
    }
    // A peer of RFC 2543 leaves it out.
    if wire
        .first("Max-Forwards")
        .is_some_and(|v| v.parse::<u8>().is_err())
    {
        return Err(bad("Bad Max-Forwards"));
    }
    let body = wire.body().ok_or(bad("Bad Content-Length"))?;
    method_and_uri(method, uri)?;
    required(wire, method)?;
    if method == "INVITE" {
        invite(wire, body)?;
    }
    Ok(body)
}

fn single_headers(wire: &Wire<'_>) -> Result<(), Refusal> {
    for name in ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"] {
        if wire.all(name).nth(1).is_some() {
            return Err(bad("Header More Than Once"));
        }
    }
    for name in ["From", "To", "Call-ID", "CSeq"] {
        if wire.first(name).is_none() {
            return Err(bad("Header Missing"));
        }
    }
    Ok(())
}

fn method_and_uri(method: &str, uri: &str) -> Result<(), Refusal> {
    if !ALLOW.split(", ").any(|m| m == method) {
        return Err((405, "Method Not Allowed", vec![format!("Allow: {ALLOW}")]));
    }
    if !is_uri(uri) {
        return Err(bad("Bad Request-URI"));
    }
    let (scheme, rest) = uri.split_once(':').ok_or(bad("Bad Request-URI"))?;
    if !["sip", "sips", "tel"]
        .iter()
        .any(|s| s.eq_ignore_ascii_case(scheme))
    {
        return Err((416, "Unsupported URI Scheme", Vec::new()));
    }
    // RFC 3261 section 19.1.1: headers have no place in a Request-URI.
    if rest.contains('?')
        && !rest
            .split_once('@')
            .is_some_and(|(user, host)| user.contains('?') && !host.contains('?'))
    {
        return Err(bad("Headers In Request-URI"));
    }
    Ok(())
}

/// RFC 3261 section 8.2.2.3: no extension is understood here.
fn required(wire: &Wire<'_>, method: &str) -> Result<(), Refusal> {
    if matches!(method, "ACK" | "CANCEL") {
        return Ok(());
    }
    let tags: Vec<&str> = wire
        .all("Require")
        .flat_map(split_commas)
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .collect();
    if tags.is_empty() {
        return Ok(());
    }
    Err((
        420,
        "Bad Extension",
        vec![format!("Unsupported: {}", tags.join(", "))],
    ))
}

fn invite(wire: &Wire<'_>, body: &[u8]) -> Result<(), Refusal> {
    let contacts = wire
        .all("Contact")
        .flat_map(split_commas)
        .filter(|c| NameAddr::read(c).is_some())
        .count();
    if contacts != 1 || wire.all("Contact").nth(1).is_some() {
        return Err(bad("Exactly One Contact Needed"));
    }
    let not_understood = || (415, "Unsupported Media Type", vec![format!("Accept: {ACCEPT}")]);
    if !body.is_empty() {
        let kind = wire
            .first("Content-Type")
            .map(|v| v.split(';').next().unwrap_or(v).trim());
        if kind.is_none_or(|k| !k.eq_ignore_ascii_case(ACCEPT)) {
            return Err(not_understood());
        }
        if wire
            .first("Content-Encoding")
            .is_some_and(|v| !v.eq_ignore_ascii_case("identity"))
        {
            return Err((
                415,
                "Unsupported Media Type",
                vec!["Accept-Encoding: identity".to_owned()],
            ));
        }
    }
    Ok(())
}

/// What an answer needs of the top Via (RFC 3261 section 18.2, RFC 3581).
struct Via<'a> {
    text: &'a str,
    port: Option<u16>,
    rport: bool,
}

impl<'a> Via<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut params = text.split(';');
        let first = params.next()?;
        let (protocol, by) = first.trim().rsplit_once(char::is_whitespace)?;
        let protocol: String = protocol.split_whitespace().collect();
        if !protocol.to_ascii_uppercase().starts_with("SIP/") || by.is_empty() {
            return None;
        }
        let port = by
            .rsplit_once(':')
            .filter(|(h, _)| !h.ends_with(':'))
            .and_then(|(_, p)| p.parse().ok());
        let rport = params.any(|p| {
            p.split('=')
                .next()
                .unwrap_or(p)
                .trim()
                .eq_ignore_ascii_case("rport")
        });
        Some(Via { text, port, rport })
    }

    fn answer_to(&self, source: SocketAddr) -> SocketAddr {
        if self.rport {
            source
        } else {
            SocketAddr::new(source.ip(), self.port.unwrap_or(5060))
        }
    }

    fn answered(&self, source: SocketAddr) -> String {
        let name = |p: &str| p.split('=').next().unwrap_or(p).trim().to_ascii_lowercase();
        let kept = self
            .text
            .split(';')
            .enumerate()
            .filter(|(i, p)| *i == 0 || !matches!(name(p).as_str(), "rport" | "received"));
        let mut via = kept.map(|(_, p)| p.trim()).collect::<Vec<_>>().join(";");
        via.push_str(&format!(";received={}", source.ip()));
        if self.rport {
            via.push_str(&format!(";rport={}", source.port()));
        }
        via
    }
}

/// A refusal of a message that passed but turned out to be unreadable, and where it goes; `None` for an ACK or a
/// response.
pub(crate) fn refuse(
    datagram: &[u8],
    source: SocketAddr,
    code: u16,
    reason: &str,
    salt: u64,
) -> Option<(Vec<u8>, SocketAddr)> {
    let wire = Wire::read(datagram)?;
    if !matches!(&wire.start, Start::Request { method, .. } if method != "ACK") {
        return None;
    }
    let via = wire.top_via().and_then(Via::read)?;
    Some((
        refusal(&wire, &via, source, code, reason, &[], salt),
        via.answer_to(source),
    ))
}

fn refusal(
    wire: &Wire<'_>,
    via: &Via<'_>,
    source: SocketAddr,
    code: u16,
    reason: &str,
    extra: &[String],
    salt: u64,
) -> Vec<u8> {
    let mut out = format!("SIP/2.0 {code} {reason}\r\nVia: {}\r\n", via.answered(source));
    let mut values = wire.all("Via").flat_map(split_commas).map(str::trim);
    values.next();
    for v in values {
        out.push_str(&format!("Via: {v}\r\n"));
    }
    for name in ["From", "To", "Call-ID", "CSeq"] {
        let Some(value) = wire.first(name) else { continue };
        out.push_str(&format!("{name}: {value}"));
        if name == "To" && !value.to_ascii_lowercase().contains("tag=") {
            // The same request gets the same tag (RFC 3261 section 8.2.7).
            let tag = fingerprint(salt, wire.first("Call-ID").unwrap_or_default(), via.text);
            out.push_str(&format!(";tag={tag:016x}"));
        }
        out.push_str("\r\n");
    }
    for line in extra {
        out.push_str(line);
        out.push_str("\r\n");
    }
    out.push_str("Content-Length: 0\r\n\r\n");
    out.into_bytes()
}

/// FNV-1a over both texts.
pub(crate) fn fingerprint(salt: u64, a: &str, b: &str) -> u64 {
    let step = |h: u64, byte: u8| (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    a.bytes()
        .chain([0])
        .chain(b.bytes())
        .fold(0xcbf2_9ce4_8422_2325 ^ salt, step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOURCE: &str = "192.0.2.7:5070";

    /// A good INVITE with lines replaced (`Name: value`, or `!Name` to leave it out) or added (`+Name: value`).
    fn invite(changes: &[&str]) -> String {
        let mut lines: Vec<String> = [
            "Via: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1;rport",
            "Max-Forwards: 70",
            "From: \"Guest\" <sip:guest@192.0.2.7>;tag=a1",
            "To: <sip:desk@192.0.2.1>",
            "Call-ID: 1@192.0.2.7",
            "CSeq: 1 INVITE",
            "Contact: <sip:guest@192.0.2.7:5070>",
            "Content-Length: 0",
        ]
        .map(str::to_owned)
        .to_vec();
        let mut start = "INVITE sip:desk@192.0.2.1 SIP/2.0".to_owned();
        let mut body = String::new();
        for change in changes {
            if let Some(b) = change.strip_prefix("BODY ") {
                b.clone_into(&mut body);
            } else if let Some(s) = change.strip_prefix("START ") {
                s.clone_into(&mut start);
            } else if let Some(name) = change.strip_prefix('!') {
                lines.retain(|l| !l.starts_with(name));
            } else if let Some(line) = change.strip_prefix('+') {
                lines.push(line.to_owned());
            } else {
                let name = change.split(':').next().unwrap();
                let line = lines.iter_mut().find(|l| l.starts_with(name)).unwrap();
                (*change).clone_into(line);
            }
        }
        format!("{start}\r\n{}\r\n\r\n{body}", lines.join("\r\n"))
    }

    fn code(message: &str) -> u16 {
        match judge(message.as_bytes(), SOURCE.parse().unwrap(), true, 1) {
            Verdict::Pass(_) => 200,
            Verdict::Refuse { code, .. } => code,
            Verdict::Junk => 0,
            Verdict::Ping => 1,
        }
    }

    #[test]
    fn each_fault_has_its_refusal() {
        let cases: &[(&str, &[&str], u16)] = &[
            ("a good one", &[], 200),
            (
                "short names and folded lines",
                &["!Call-ID", "!To", "+i: 1@x", "+t :\r\n <sip:desk@x>"],
                200,
            ),
            ("no Max-Forwards, as in RFC 2543", &["!Max-Forwards"], 200),
            (
                "escaped user",
                &["START INVITE sip:sips%3Auser%40x@192.0.2.1 SIP/2.0"],
                200,
            ),
            (
                "lower-case version",
                &["START INVITE sip:desk@192.0.2.1 sip/2.0"],
                200,
            ),
            ("tel URI", &["START INVITE tel:+390415550101 SIP/2.0"], 200),
            (
                "semicolons in the user",
                &["START INVITE sip:desk;par=u%40h@192.0.2.1 SIP/2.0"],
                200,
            ),
            (
                "another version",
                &["START INVITE sip:desk@192.0.2.1 SIP/7.0"],
                505,
            ),
            ("no From", &["!From"], 400),
            ("no To", &["!To"], 400),
            ("no Call-ID", &["!Call-ID"], 400),
            ("no CSeq", &["!CSeq"], 400),
            ("no Contact", &["!Contact"], 400),
            ("two Contacts", &["+Contact: <sip:b@x>"], 400),
            ("From without tag", &["From: <sip:guest@x>"], 400),
            ("two Froms", &["+From: <sip:b@x>;tag=2"], 400),
            ("open quote in To", &["To: \"Desk <sip:desk@x>"], 400),
            ("open bracket in From", &["From: <sip:guest@x;tag=1"], 400),
            ("CSeq not a number", &["CSeq: x INVITE"], 400),
            ("CSeq too large", &["CSeq: 36893488147419103232 INVITE"], 400),
            ("CSeq of 2^31", &["CSeq: 2147483648 INVITE"], 400),
            ("CSeq of another method", &["CSeq: 1 OPTIONS"], 400),
            ("Max-Forwards too large", &["Max-Forwards: 300"], 400),
            (
                "body shorter than it says",
                &["Content-Length: 100", "BODY x"],
                400,
            ),
            ("negative length", &["Content-Length: -999"], 400),
            ("two lengths", &["+Content-Length: 0"], 400),
            (
                "bracketed Request-URI",
                &["START INVITE <sip:desk@192.0.2.1> SIP/2.0"],
                400,
            ),
            (
                "blanks in the Request-URI",
                &["START INVITE sip:desk@192.0.2.1; lr SIP/2.0"],
                400,
            ),
            (
                "headers in the Request-URI",
                &["START INVITE sip:desk@192.0.2.1?Route=x SIP/2.0"],
                400,
            ),
            (
                "unknown scheme",
                &["START INVITE nobodyKnowsThis:desk SIP/2.0"],
                416,
            ),
            (
                "unknown extension",
                &["+Require: nothingSupportsThis, 100rel"],
                420,
            ),
            ("empty Require", &["+Require:"], 200),
            ("Proxy-Require is for proxies", &["+Proxy-Require: thing"], 200),
            (
                "unknown method",
                &["START NEWMETHOD sip:desk@192.0.2.1 SIP/2.0", "CSeq: 1 NEWMETHOD"],
                405,
            ),
            (
                "known but not spoken",
                &["START REGISTER sip:192.0.2.1 SIP/2.0", "CSeq: 1 REGISTER"],
                405,
            ),
            (
                "body of another kind",
                &["Content-Length: 1", "+Content-Type: text/plain", "BODY x"],
                415,
            ),
            (
                "packed body",
                &[
                    "Content-Length: 1",
                    "+Content-Type: application/sdp",
                    "+Content-Encoding: gzip",
                    "BODY x",
                ],
                415,
            ),
            (
                "ACK is never answered",
                &["START ACK sip:desk@192.0.2.1 SIP/2.0", "CSeq: x ACK"],
                0,
            ),
            ("no Via: nowhere to answer to", &["!Via"], 0),
        ];
        for (name, changes, want) in cases {
            assert_eq!(code(&invite(changes)), *want, "{name}");
        }
    }

    #[test]
    fn junk_is_not_answered() {
        for message in [
            "",
            "\0\0\0",
            "hello\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "INVITE\r\n\r\n",
            "SIP/2.0 abc\r\n\r\n",
        ] {
            assert_eq!(code(message), 0, "{message:?}");
        }
        assert_eq!(code("SIP/2.0 200 OK\r\nVia: x\r\n\r\n"), 0);
        assert_eq!(code("\r\n\r\n"), 1);
    }

    #[test]
    fn a_refusal_carries_what_the_sender_needs() {
        let message = invite(&["+Require: foo", "+Via: SIP/2.0/UDP proxy.invalid;branch=z9hG4bK0"]);
        let Verdict::Refuse { response, to, .. } =
            judge(message.as_bytes(), SOURCE.parse().unwrap(), true, 1)
        else {
            panic!("not refused");
        };
        let text = String::from_utf8(response.clone()).unwrap();
        assert_eq!(to, SOURCE.parse().unwrap());
        assert!(text.starts_with("SIP/2.0 420 Bad Extension\r\nVia: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1;received=192.0.2.7;rport=5070\r\nVia: SIP/2.0/UDP proxy.invalid"), "{text}");
        assert!(text.contains("\r\nUnsupported: foo\r\n"));
        assert!(text.contains("\r\nTo: <sip:desk@192.0.2.1>;tag="));
        let again = judge(message.as_bytes(), SOURCE.parse().unwrap(), true, 1);
        assert!(matches!(again, Verdict::Refuse { response: r, .. } if r == response));
    }

    #[test]
    fn strangers_get_403_but_may_answer_us() {
        let source = SOURCE.parse().unwrap();
        assert!(matches!(
            judge(invite(&[]).as_bytes(), source, false, 1),
            Verdict::Refuse { code: 403, .. }
        ));
        let response = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n";
        assert!(matches!(
            judge(response.as_bytes(), source, false, 1),
            Verdict::Pass(_)
        ));
    }

    #[test]
    fn without_rport_the_answer_goes_to_the_port_in_via() {
        let message = invite(&["Via: SIP/2.0/UDP 10.0.0.1:5099;branch=z9hG4bK1", "!CSeq"]);
        let Verdict::Refuse { to, .. } = judge(message.as_bytes(), SOURCE.parse().unwrap(), true, 1) else {
            panic!("not refused");
        };
        assert_eq!(to, "192.0.2.7:5099".parse().unwrap());
    }

    #[test]
    fn what_passes_is_in_plain_spelling() {
        let message = invite(&[
            "!Call-ID",
            "+i :\r\n  1@x",
            "!Content-Length",
            "+Content-Type: application/sdp",
            "BODY v=0",
        ]);
        let Verdict::Pass(bytes) = judge(message.as_bytes(), SOURCE.parse().unwrap(), true, 1) else {
            panic!()
        };
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("\r\nCall-ID: 1@x\r\n"), "{text}");
        assert!(text.ends_with("Content-Length: 3\r\n\r\nv=0"), "{text}");
    }

    proptest! {
        #[test]
        fn flipped_bytes_never_panic(at in 0usize..400, with: u8, cut in 0usize..400) {
            let mut bytes = invite(&["Content-Length: 3", "+Content-Type: application/sdp", "BODY v=0"]).into_bytes();
            if let Some(b) = bytes.get_mut(at) { *b = with; }
            judge(&bytes, SOURCE.parse().unwrap(), true, 1);
            bytes.truncate(cut);
            judge(&bytes, SOURCE.parse().unwrap(), true, 1);
        }
    }
}
