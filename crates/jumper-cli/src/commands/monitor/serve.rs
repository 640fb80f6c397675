//! Serving what was measured last, for Prometheus to read.
//!
//! A client may be slow, silent, or many: each has a thread and some seconds, a few are served at once, and nobody who
//! measures waits for any of them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jumper_render::prometheus;
use jumper_session::Watcher;

use crate::error::CliError;
use crate::terminal::say;

/// So many are served at once; others are turned away.
const MOST: usize = 8;
/// For one request and its answer.
const TIME: Duration = Duration::from_secs(5);
/// More than any client asks with.
const REQUEST: usize = 8 << 10;

/// An address that nobody is served at yet.
pub(super) struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

/// A server, until it is dropped.
pub(super) struct Serving {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Server {
    /// Takes `HOST:PORT`, or a port of the loopback interface.
    pub(super) fn bind(text: &str) -> Result<Self, CliError> {
        let addresses: Vec<SocketAddr> = match text.parse::<u16>() {
            Ok(port) => vec![SocketAddr::from(([127, 0, 0, 1], port))],
            Err(_) => text.to_socket_addrs().map(Iterator::collect).map_err(|error| {
                CliError::Usage(format!(
                    "`{text}` is no address to serve at: {error}; write HOST:PORT, such as 127.0.0.1:9187"
                ))
            })?,
        };
        let failed = |error: io::Error| {
            CliError::Failed(format!(
                "cannot serve metrics at `{text}`: {error}; choose another address with --prometheus"
            ))
        };
        let listener = TcpListener::bind(&addresses[..]).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Serves, and says where. `None`, with a warning, where no thread can be started.
    pub(super) fn start(self, watcher: Watcher) -> Option<Serving> {
        let Self { listener, address } = self;
        let is_over = Arc::new(AtomicBool::new(false));
        let serving = Serving {
            address,
            is_over: Arc::clone(&is_over),
        };
        let thread = std::thread::Builder::new().name("jumper-serve".into());
        match thread.spawn(move || serve(&listener, &watcher, &is_over)) {
            Ok(_) => say(&format!("metrics at http://{address}/metrics")),
            Err(error) => {
                say(&format!(
                    "warning: metrics are not served: cannot start a thread: {error}"
                ));
                return None;
            }
        }
        Some(serving)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the one who waits for clients. Nobody is waited for: clients are left to their threads.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(100));
    }
}

fn serve(listener: &TcpListener, watcher: &Watcher, is_over: &AtomicBool) {
    let busy = Arc::new(AtomicUsize::new(0));
    for client in listener.incoming() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let Ok(client) = client else {
            // No descriptor is left, say.
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        if busy.fetch_add(1, Ordering::Relaxed) >= MOST {
            busy.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (watcher, done) = (watcher.clone(), Arc::clone(&busy));
        let thread = std::thread::Builder::new().name("jumper-client".into());
        let answer = move || {
            // A client that goes away is its own business.
            let _ = answer(client, &watcher);
            done.fetch_sub(1, Ordering::Relaxed);
        };
        if thread.spawn(answer).is_err() {
            busy.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn answer(mut client: TcpStream, watcher: &Watcher) -> io::Result<()> {
    client.set_write_timeout(Some(TIME))?;
    let request = request(&mut client)?;
    let mut words = request.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let path = target.split('?').next().unwrap_or_default();
    let (status, body) = match (method, path) {
        ("GET" | "HEAD", "/metrics" | "/") => {
            let measured = watcher.measured().unwrap_or_default();
            ("200 OK", prometheus(&measured.columns, &measured.rows))
        }
        ("GET" | "HEAD", _) => ("404 Not Found", "metrics are at /metrics\n".into()),
        _ => ("405 Method Not Allowed", "only GET is answered\n".into()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes())?;
    if method != "HEAD" {
        client.write_all(body.as_bytes())?;
    }
    Ok(())
}

/// The first line of a request that has come whole.
fn request(client: &mut TcpStream) -> io::Result<String> {
    let deadline = Instant::now() + TIME;
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > REQUEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        client.set_read_timeout(Some(left))?;
        match client.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => head.extend_from_slice(&piece[..count]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    Ok(head.lines().next().unwrap_or_default().to_owned())
}
