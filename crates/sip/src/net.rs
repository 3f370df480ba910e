//! Addresses and ports of this machine. The only module that opens sockets, besides the SIP port itself.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use socket2::{Domain, Protocol, Socket, Type};

use crate::{AllowRule, Error, PortRange};

/// Receive buffer of an RTP socket in bytes: half a second of a stream that comes in bursts.
const RTP_BUFFER: usize = 64 * 1024;
/// DSCP EF in the TOS byte (RFC 3246): voice first, where the network cares.
const TOS_VOICE: u32 = 0xb8;

/// Networks of this machine's interfaces as (address, prefix length), for [`AllowRule::Local`]. Empty if the system
/// does not tell.
pub fn interface_networks() -> Vec<(IpAddr, u8)> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let one = |i: if_addrs::Interface| match i.addr {
        if_addrs::IfAddr::V4(a) => (IpAddr::V4(a.ip), a.prefixlen),
        if_addrs::IfAddr::V6(a) => (IpAddr::V6(a.ip), a.prefixlen),
    };
    interfaces.into_iter().map(one).collect()
}

/// May `source` talk to us?
pub(crate) fn is_allowed(rules: &[AllowRule], source: IpAddr) -> bool {
    let plain = rules
        .iter()
        .any(|r| *r != AllowRule::Local && r.covers(source, &[]));
    // Interfaces come and go: ask each time, but only for those that no other rule lets in.
    plain
        || rules.contains(&AllowRule::Local) && {
            AllowRule::Local.covers(source, &[]) || AllowRule::Local.covers(source, &interface_networks())
        }
}

/// The local address that packets to `peer` leave from: a connected UDP socket knows without sending anything.
pub(crate) fn local_towards(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Any port does; 9 is "discard".
    socket.connect((peer, 9)).ok()?;
    socket
        .local_addr()
        .ok()
        .map(|a| a.ip())
        .filter(|ip| !ip.is_unspecified())
}

fn udp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Opens the SIP port.
pub(crate) fn sip_socket(address: SocketAddr) -> Result<UdpSocket, Error> {
    udp(address)
        .map(Into::into)
        .map_err(|source| Error::Bind { address, source })
}

/// An RTP port, with the RTCP port above it if that was free too.
pub(crate) struct RtpPort {
    pub rtp: UdpSocket,
    pub rtcp: Option<UdpSocket>,
}

/// Hands out RTP ports.
#[derive(Debug)]
pub(crate) struct Ports {
    range: PortRange,
    /// Next pair to try. Goes round, so that a new call does not get the stream of the last one.
    next: AtomicU32,
}

impl Ports {
    pub(crate) fn new(range: PortRange, start: u32) -> Self {
        Ports {
            range,
            next: AtomicU32::new(start),
        }
    }

    /// Opens a free even port on `ip` and the odd one above it.
    pub(crate) fn open(&self, ip: IpAddr) -> Result<RtpPort, Error> {
        let prepare = |socket: Socket| -> UdpSocket {
            // Both are wishes: a system that refuses still carries the call.
            let _ = socket.set_recv_buffer_size(RTP_BUFFER);
            if ip.is_ipv4() {
                let _ = socket.set_tos_v4(TOS_VOICE);
            }
            socket.into()
        };
        if self.range == PortRange::ANY {
            let socket = udp(SocketAddr::new(ip, 0)).map_err(|_| Error::NoRtpPort { range: self.range })?;
            return Ok(RtpPort {
                rtp: prepare(socket),
                rtcp: None,
            });
        }
        let first = u32::from(self.range.first).next_multiple_of(2);
        let pairs = (u32::from(self.range.last) + 1).saturating_sub(first) / 2;
        for _ in 0..pairs {
            let pair = self.next.fetch_add(1, Relaxed) % pairs.max(1);
            let port = (first + pair * 2) as u16;
            if let Ok(socket) = udp(SocketAddr::new(ip, port)) {
                let rtcp = udp(SocketAddr::new(ip, port + 1)).ok().map(Into::into);
                return Ok(RtpPort {
                    rtp: prepare(socket),
                    rtcp,
                });
            }
        }
        Err(Error::NoRtpPort { range: self.range })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_reached_from_loopback() {
        assert_eq!(
            local_towards("127.0.0.1".parse().unwrap()),
            Some("127.0.0.1".parse().unwrap())
        );
    }

    #[test]
    fn ports_are_even_in_range_free_again_and_run_out() {
        let ip: IpAddr = "127.0.0.1".parse().unwrap();
        // A place where four ports in a row are free right now.
        let range = (20_011u16..60_000)
            .step_by(50)
            .map(|first| PortRange {
                first,
                last: first + 4,
            })
            .find(|r| (r.first..=r.last).all(|p| UdpSocket::bind((ip, p)).is_ok()))
            .unwrap();
        let ports = Ports::new(range, 7);
        let a = ports.open(ip).unwrap();
        let b = ports.open(ip).unwrap();
        for p in [&a, &b] {
            let port = p.rtp.local_addr().unwrap().port();
            assert!(
                port % 2 == 0 && port >= range.first && port < range.last,
                "{port}"
            );
            assert!(p.rtcp.is_some());
        }
        assert!(matches!(ports.open(ip), Err(Error::NoRtpPort { .. })));
        drop(a);
        assert!(ports.open(ip).is_ok());
    }

    #[test]
    fn a_taken_sip_port_is_named_with_a_remedy() {
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let e = sip_socket(taken.local_addr().unwrap()).unwrap_err();
        assert!(
            roomtone_base::Remedy::remedy(&e)
                .unwrap()
                .contains("another program"),
            "{e}"
        );
    }
}
