//! Where metrics are served.

use std::fmt;
use std::str::FromStr;

use crate::metrics::MetricsError;

/// An address of the kind `[NAME=]http://HOST[:PORT][/PATH]`. The name, where there is one, stands in front of the names of
/// its metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    name: Option<String>,
    host: String,
    port: u16,
    path: String,
}

impl Endpoint {
    /// What its metrics are called after.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The name or number of the machine, without the brackets of IPv6.
    pub(super) fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// As it stands in a request.
    pub(super) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host, port, path, ..
        } = self;
        write!(f, "http://{host}:{port}{path}")
    }
}

impl FromStr for Endpoint {
    type Err = MetricsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |why| MetricsError::Endpoint {
            text: text.into(),
            why,
        };
        let (before, rest) = text.split_once("://").ok_or(refused("it has no http://"))?;
        let (name, scheme) = match before.split_once('=') {
            Some((name, scheme)) => (Some(name), scheme),
            None => (None, before),
        };
        if scheme != "http" {
            return Err(refused("only http:// can be read"));
        }
        if name.is_some_and(|name| !is_name(name)) {
            return Err(refused(
                "its name must be letters, digits and `_`, and begin with none of the digits",
            ));
        }
        let printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable(rest) {
            return Err(refused(
                "spaces and other characters that no address has must be written as %20",
            ));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = path.split('#').next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of `[::1]` are its own.
            Some((host, port)) if !port.ends_with(']') => (
                host,
                port.parse()
                    .map_err(|_| refused("its port must be a number up to 65535"))?,
            ),
            _ => (authority, 80),
        };
        let is_bracketed = host.starts_with('[') == host.ends_with(']');
        if host.is_empty() || host.contains('@') || !is_bracketed {
            return Err(refused("it names no host"));
        }
        Ok(Self {
            name: name.map(Into::into),
            host: host.into(),
            port,
            path: match path {
                "" => "/metrics".into(),
                path if path.starts_with('/') => path.into(),
                query => format!("/{query}"),
            },
        })
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_parts() {
        for (text, shown, name, host) in [
            (
                "http://localhost:9100",
                "http://localhost:9100/metrics",
                None,
                "localhost",
            ),
            ("http://10.0.0.1/", "http://10.0.0.1:80/", None, "10.0.0.1"),
            (
                "vllm=http://[::1]:8000/m?a=b",
                "http://[::1]:8000/m?a=b",
                Some("vllm"),
                "::1",
            ),
            ("http://[::1]", "http://[::1]:80/metrics", None, "::1"),
            ("http://host?x=1#y", "http://host:80/?x=1", None, "host"),
        ] {
            let endpoint: Endpoint = text
                .parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (
                    endpoint.to_string().as_str(),
                    endpoint.name(),
                    endpoint.host()
                ),
                (shown, name, host)
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_reason() {
        for (text, why) in [
            ("localhost:9100", "no http://"),
            ("https://localhost", "only http://"),
            ("1a=http://localhost", "its name"),
            ("=http://localhost", "its name"),
            ("http://", "no host"),
            ("http://user:secret@host", "port"),
            ("http://user@host", "no host"),
            ("http://host:99999", "port"),
            ("http://host/a b", "%20"),
            ("http://host/\r\nHost: other", "%20"),
        ] {
            let error = text.parse::<Endpoint>().expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
