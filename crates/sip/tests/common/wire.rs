//! A peer that speaks SIP by hand.

use std::{net::SocketAddr, time::Duration};

use tokio::net::UdpSocket;

pub(crate) struct Peer {
    pub socket: UdpSocket,
    pub to: SocketAddr,
    pub rtp: UdpSocket,
    seq: u32,
}

/// A message that came in.
#[derive(Clone, Debug)]
pub(crate) struct Message(pub String);

impl Message {
    pub(crate) fn code(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|c| c.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn method(&self) -> &str {
        self.0.split(' ').next().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next().unwrap();
        head.lines().find_map(|l| {
            let (n, v) = l.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| v.trim())
        })
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, b)| b)
    }

    pub(crate) fn to_tag(&self) -> String {
        self.header("To")
            .unwrap()
            .split("tag=")
            .nth(1)
            .unwrap_or("")
            .to_owned()
    }
}

impl Peer {
    pub(crate) async fn new(to: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Peer {
            socket,
            to,
            rtp,
            seq: 0,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    /// An audio section; `direction` like `sendonly`.
    pub(crate) fn sdp(&self, direction: &str) -> String {
        let port = self.rtp.local_addr().unwrap().port();
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
             a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
        )
    }

    /// A request of dialog `call`; `tag` is the other side's, empty before there is one.
    pub(crate) fn request(
        &self,
        method: &str,
        call: &str,
        cseq: u32,
        tag: &str,
        extra: &str,
        body: &str,
    ) -> String {
        let (me, you) = (self.socket.local_addr().unwrap(), self.to);
        let tag = if tag.is_empty() {
            String::new()
        } else {
            format!(";tag={tag}")
        };
        let invite = if method == "ACK" || method == "CANCEL" {
            "INVITE"
        } else {
            method
        };
        let kind = if body.is_empty() {
            ""
        } else {
            "Content-Type: application/sdp\r\n"
        };
        let branch = if method == "ACK" && !tag.is_empty() {
            "ack"
        } else {
            invite
        };
        format!(
            "{method} sip:desk@{you} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK{call}{branch}{cseq};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:guest@{me}>;tag=me{call}\r\nTo: <sip:desk@{you}>{tag}\r\n\
             Call-ID: {call}\r\nCSeq: {cseq} {method}\r\nContact: <sip:guest@{me}>\r\n{extra}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    pub(crate) async fn send(&self, message: impl AsRef<[u8]>) {
        self.socket.send_to(message.as_ref(), self.to).await.unwrap();
    }

    /// The next message within `ms`.
    pub(crate) async fn next(&self, ms: u64) -> Option<Message> {
        let mut buffer = vec![0; 65_536];
        let got = tokio::time::timeout(Duration::from_millis(ms), self.socket.recv_from(&mut buffer)).await;
        let (len, _) = got.ok()?.unwrap();
        Some(Message(String::from_utf8_lossy(&buffer[..len]).into_owned()))
    }

    /// The next final response.
    pub(crate) async fn final_response(&self) -> Message {
        loop {
            let m = self.next(5_000).await.expect("a final response");
            if m.0.starts_with("SIP/2.0") && m.code() >= 200 {
                return m;
            }
        }
    }

    /// The next request of the other side.
    pub(crate) async fn their_request(&self, ms: u64) -> Option<Message> {
        let first = async {
            loop {
                match self.next(ms).await {
                    Some(m) if !m.0.starts_with("SIP/2.0") => return Some(m),
                    Some(_) => {}
                    None => return None,
                }
            }
        };
        tokio::time::timeout(Duration::from_millis(ms), first)
            .await
            .ok()?
    }

    /// Sends and gives the final response.
    pub(crate) async fn ask(&self, message: String) -> Message {
        self.send(message).await;
        self.final_response().await
    }

    /// 200 to a request of theirs.
    pub(crate) async fn ok(&self, request: &Message) {
        let mut out = "SIP/2.0 200 OK\r\n".to_owned();
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            out.push_str(&format!("{name}: {}\r\n", request.header(name).unwrap()));
        }
        self.send(format!("{out}Content-Length: 0\r\n\r\n")).await;
    }

    /// An RTP packet from the description's port.
    pub(crate) async fn rtp(&mut self, to: SocketAddr) {
        let mut packet = vec![0x80, 0];
        packet.extend((self.seq as u16).to_be_bytes());
        packet.extend((self.seq * 160).to_be_bytes());
        packet.extend([0, 0, 0, 9]);
        packet.extend([0x55; 160]);
        self.seq += 1;
        self.rtp.send_to(&packet, to).await.unwrap();
    }
}

/// Where a description wants sound.
pub(crate) fn rtp_of(sdp: &str) -> SocketAddr {
    let port = sdp
        .lines()
        .find_map(|l| l.strip_prefix("m=audio "))
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let ip = sdp.lines().find_map(|l| l.strip_prefix("c=IN IP4 ")).unwrap();
    format!("{ip}:{port}").parse().unwrap()
}
