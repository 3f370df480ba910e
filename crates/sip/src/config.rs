//! The `[sip]` section of the configuration.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The `[sip]` section of `roomtone.toml`. Every key has a default; an unknown key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SipConfig {
    /// UDP address and port that SIP is spoken on. `0.0.0.0` means every IPv4 interface.
    pub listen: SocketAddr,
    /// UDP ports for RTP, `"first-last"`, both included. A call takes one even port and reserves the odd one above
    /// it for RTCP, so a range of 1000 ports carries 500 calls.
    pub rtp_ports: PortRange,
    /// Address written into SIP and SDP instead of the local one; for a box behind a NAT with a fixed outside
    /// address. Unset: the address of the interface that leads to the caller.
    pub advertise: Option<IpAddr>,
    /// Who may send requests: `"loopback"`, `"local"` (private ranges and the networks of this machine's
    /// interfaces), an address, or a network such as `"203.0.113.0/24"`. Everybody else gets 403.
    pub allow: Vec<AllowRule>,
    /// Most calls at a time; further callers get 486 (busy).
    pub max_calls: usize,
}

impl Default for SipConfig {
    fn default() -> Self {
        SipConfig {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5060),
            rtp_ports: PortRange {
                first: 10_000,
                last: 10_999,
            },
            advertise: None,
            allow: vec![AllowRule::Loopback, AllowRule::Local],
            max_calls: 20,
        }
    }
}

/// A range of UDP ports, written `"10000-10999"`, both ends included. The special range `"0-0"` lets the system
/// choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// Lowest port.
    pub first: u16,
    /// Highest port.
    pub last: u16,
}

impl PortRange {
    /// Ports chosen by the system, for tests and for a client that nobody has opened a firewall for.
    pub const ANY: PortRange = PortRange { first: 0, last: 0 };
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a range of ports such as `10000-10999`");
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let first: u16 = first.trim().parse().map_err(|_| wrong())?;
        let last: u16 = last.trim().parse().map_err(|_| wrong())?;
        if (first, last) == (0, 0) {
            return Ok(PortRange::ANY);
        }
        if first < 1024 || last <= first {
            return Err(format!(
                "`{text}`: the first port must be at least 1024 and below the last"
            ));
        }
        Ok(PortRange { first, last })
    }
}

/// One entry of [`SipConfig::allow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowRule {
    /// `"loopback"`: this machine.
    Loopback,
    /// `"local"`: private and link-local ranges (RFC 1918, RFC 4193, RFC 3927) and the networks of this machine's
    /// own interfaces.
    Local,
    /// An address (with its full prefix length) or a network.
    Net {
        /// The network's address.
        address: IpAddr,
        /// Leading bits that must match: 0 to 32, or 0 to 128.
        prefix: u8,
    },
}

impl AllowRule {
    /// Does the rule cover `source`? `interfaces` are the networks of this machine, see [`crate::interface_networks`].
    pub fn covers(&self, source: IpAddr, interfaces: &[(IpAddr, u8)]) -> bool {
        let source = source.to_canonical();
        match self {
            AllowRule::Loopback => source.is_loopback(),
            AllowRule::Local => {
                is_private(source) || interfaces.iter().any(|(a, p)| in_network(source, *a, *p))
            }
            AllowRule::Net { address, prefix } => in_network(source, *address, *prefix),
        }
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback(),
    }
}

fn in_network(ip: IpAddr, network: IpAddr, prefix: u8) -> bool {
    fn same(a: u128, b: u128, width: u8, prefix: u8) -> bool {
        let drop = u32::from(width.saturating_sub(prefix));
        a.checked_shr(drop).unwrap_or(0) == b.checked_shr(drop).unwrap_or(0)
    }
    match (ip, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32, prefix),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128, prefix),
        _ => false,
    }
}

impl fmt::Display for AllowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AllowRule::Loopback => f.write_str("loopback"),
            AllowRule::Local => f.write_str("local"),
            AllowRule::Net { address, prefix } => write!(f, "{address}/{prefix}"),
        }
    }
}

impl FromStr for AllowRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is none of `loopback`, `local`, an address, a network such as `10.0.0.0/8`");
        match text {
            "loopback" => return Ok(AllowRule::Loopback),
            "local" => return Ok(AllowRule::Local),
            _ => {}
        }
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(p) => p.parse::<u8>().ok().filter(|p| *p <= width).ok_or_else(wrong)?,
            None => width,
        };
        Ok(AllowRule::Net { address, prefix })
    }
}

macro_rules! as_text {
    ($name:ty) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(de::Error::custom)
            }
        }
    };
}
as_text!(PortRange);
as_text!(AllowRule);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_reads_with_defaults_and_refuses_strangers() {
        let c: SipConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(c, SipConfig::default());
        assert_eq!(c.listen.to_string(), "0.0.0.0:5060");
        let text = r#"{"rtp_ports": "20000-20099", "allow": ["loopback", "203.0.113.7", "198.51.100.0/24"]}"#;
        let c: SipConfig = serde_json::from_str(text).unwrap();
        assert_eq!(
            c.rtp_ports,
            PortRange {
                first: 20_000,
                last: 20_099
            }
        );
        assert_eq!(c.allow.len(), 3);
        assert!(serde_json::from_str::<SipConfig>(r#"{"port": 5060}"#).is_err());
        let back: SipConfig = serde_json::from_str(&serde_json::to_string(&c).unwrap()).unwrap();
        assert_eq!(back, c);
    }

    #[test]
    fn wrong_ranges_and_rules_are_refused() {
        for text in ["10000", "10999-10000", "80-90", "a-b", "1-70000"] {
            assert!(text.parse::<PortRange>().is_err(), "{text}");
        }
        for text in ["", "everyone", "10.0.0.0/33", "10.0.0/8", "::1/129"] {
            assert!(text.parse::<AllowRule>().is_err(), "{text}");
        }
    }

    #[test]
    fn rules_cover_what_they_say() {
        let mine: [(IpAddr, u8); 1] = [("198.51.100.9".parse().unwrap(), 24)];
        let cases = [
            ("loopback", "127.0.0.1", true),
            ("loopback", "127.9.9.9", true),
            ("loopback", "::1", true),
            ("loopback", "10.0.0.1", false),
            ("local", "192.168.1.4", true),
            ("local", "198.51.100.200", true),
            ("local", "203.0.113.1", false),
            ("local", "fe80::1", true),
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.114.1", false),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ];
        for (rule, source, want) in cases {
            let rule: AllowRule = rule.parse().unwrap();
            assert_eq!(
                rule.covers(source.parse().unwrap(), &mine),
                want,
                "{rule} {source}"
            );
        }
    }
}
