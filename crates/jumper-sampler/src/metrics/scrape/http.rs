//! One request by HTTP, to be answered within some seconds and some megabytes.
//!
//! HTTP 1.0 (RFC 1945): the answer is whole when the connection ends, in one piece. That is all that serving a page of
//! text takes, and every server still speaks it.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::endpoint::Endpoint;

/// For all of it.
const TIME: Duration = Duration::from_secs(5);
/// More than a server with tens of thousands of metrics says.
const SIZE: usize = 8 << 20;

/// The text at `endpoint`, or in words for people why there is none.
pub(super) fn get(endpoint: &Endpoint) -> Result<String, String> {
    let reply = fetch(endpoint, Instant::now() + TIME).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            format!("it has not answered within {} s", TIME.as_secs())
        }
        io::ErrorKind::FileTooLarge => format!("it says more than {} MiB", SIZE >> 20),
        _ => error.to_string(),
    })?;
    let split = reply.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = reply.split_at(split.ok_or("it does not speak HTTP")?);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    let code = status
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1));
    match code {
        Some("200") => {}
        Some(_) => return Err(format!("it answers `{}`", status.escape_debug())),
        None => return Err("it does not speak HTTP".into()),
    }
    // A server of HTTP 1.1 that has not read the version of the request.
    let is_in_pieces =
        lines.any(|line| line.to_ascii_lowercase().starts_with("transfer-encoding:"));
    if is_in_pieces {
        return Err("it answers HTTP 1.0 with pieces of HTTP 1.1".into());
    }
    Ok(String::from_utf8_lossy(&body[4..]).into_owned())
}

fn fetch(endpoint: &Endpoint, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut stream = connect(endpoint, deadline)?;
    let (path, host) = (endpoint.path(), endpoint.authority());
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: jumper\r\nAccept: text/plain;version=0.0.4\r\n\r\n"
    );
    stream.set_write_timeout(Some(left(deadline)?))?;
    stream.write_all(request.as_bytes())?;
    let mut reply = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        // Each piece has only the time that is left of the whole.
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(&mut piece) {
            Ok(0) => return Ok(reply),
            Ok(count) => reply.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if reply.len() > SIZE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // Some keep the connection open although they were not asked to.
        if is_whole(&reply) {
            return Ok(reply);
        }
    }
}

/// Tries each address of the host.
fn connect(endpoint: &Endpoint, deadline: Instant) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in (endpoint.host(), endpoint.port()).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// The time until the deadline, of which there must be some.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        Err(io::ErrorKind::TimedOut.into())
    } else {
        Ok(left)
    }
}

/// Whether all that was announced is there.
fn is_whole(reply: &[u8]) -> bool {
    let Some(end) = reply.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&reply[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse::<usize>().ok());
    length.is_some_and(|length| reply.len() - end - 4 >= length)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    /// A server that answers one request with these bytes, and then keeps the connection for as long as it is told to.
    fn serve(reply: Vec<u8>, keeps: bool) -> (Endpoint, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has one").port();
        let serve = move || {
            let (mut stream, _) = listener.accept().expect("somebody comes");
            let mut request = Vec::new();
            let mut piece = [0; 512];
            while !request.ends_with(b"\r\n\r\n") {
                let count = stream.read(&mut piece).expect("it asks");
                request.extend_from_slice(&piece[..count]);
            }
            // Whoever has heard enough goes away.
            let _ = stream.write_all(&reply);
            while keeps && stream.read(&mut piece).is_ok_and(|count| count > 0) {}
            String::from_utf8(request).expect("it is text")
        };
        let endpoint = format!("http://127.0.0.1:{port}/m?x=1")
            .parse()
            .expect("an endpoint");
        (endpoint, std::thread::spawn(serve))
    }

    fn answer(reply: &[u8], keeps: bool) -> Result<String, String> {
        let (endpoint, server) = serve(reply.to_vec(), keeps);
        let got = get(&endpoint);
        let request = server.join().expect("it serves");
        assert!(
            request.starts_with("GET /m?x=1 HTTP/1.0\r\nHost: 127.0.0.1:"),
            "{request}"
        );
        got
    }

    #[test]
    fn a_page_is_read_to_its_end_or_its_length() {
        let page = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\na 1\n";
        assert_eq!(answer(page, false), Ok("a 1\n".into()));
        let page = b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\na 1\n";
        assert_eq!(answer(page, true), Ok("a 1\n".into()));
    }

    #[test]
    fn what_is_no_page_is_said() {
        let missing = answer(b"HTTP/1.1 404 Not Found\r\n\r\n", false).expect_err("it is none");
        assert_eq!(missing, "it answers `HTTP/1.1 404 Not Found`");
        let other = answer(b"SSH-2.0-OpenSSH_9.2\r\n", false).expect_err("it is none");
        assert_eq!(other, "it does not speak HTTP");
        let pieces =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n0\r\n\r\n";
        assert!(
            answer(pieces, false)
                .expect_err("it is none")
                .contains("pieces")
        );
        let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        endless.resize(SIZE + (1 << 20), b'#');
        assert_eq!(
            answer(&endless, false),
            Err("it says more than 8 MiB".into())
        );
    }

    #[test]
    fn nobody_there_is_an_error_and_silence_has_an_end() {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let endpoint: Endpoint = format!("http://{}", free.expect("a port is free"))
            .parse()
            .expect("an endpoint");
        assert!(
            get(&endpoint)
                .expect_err("nobody is there")
                .contains("refused")
        );
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let silent = format!("http://{}", listener.local_addr().expect("it has one"));
        let silent: Endpoint = silent.parse().expect("an endpoint");
        let soon = Instant::now() + Duration::from_millis(100);
        let error = fetch(&silent, soon).expect_err("it says nothing").kind();
        assert!(
            matches!(error, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock),
            "{error:?}"
        );
    }
}
