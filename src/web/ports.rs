//! Ports that browsers refuse to connect to.

/// Ports of other protocols, on which browsers open no page and no `WebSocket`, those of IRC among them
/// ([Fetch, "bad port"](https://fetch.spec.whatwg.org/#port-blocking)).
const REFUSED_PORTS: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
    104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514,
    515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723,
    2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Returns whether browsers refuse to connect to a port.
pub fn is_refused_by_browsers(port: u16) -> bool {
    REFUSED_PORTS.contains(&port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_port_of_irc_is_refused_and_those_of_the_web_are_not() {
        assert!(is_refused_by_browsers(6697) && is_refused_by_browsers(6667));
        for port in [80, 443, 8080, 8443, 6696, 45_123] {
            assert!(!is_refused_by_browsers(port), "{port}");
        }
    }
}
