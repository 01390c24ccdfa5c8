//! Spawn the mock gateway from a Rust test, without crates.
//!
//!     rustc --edition 2021 -o /tmp/spawn examples/spawn.rs && /tmp/spawn
//!
//! OAGW_PYTHON names the interpreter (default: python3), OAGW_SERVER the script (default: server.py).

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct MockGateway {
    port: u16,
    server: Child,
}

impl MockGateway {
    fn start() -> Self {
        // The server stops when its standard input ends, so it cannot outlive us, even if we are killed.
        let server = Command::new(env::var("OAGW_PYTHON").unwrap_or("python3".into()))
            .arg(env::var("OAGW_SERVER").unwrap_or("server.py".into()))
            .args(["0", "--exit-with-parent"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cannot run Python");
        let mut gateway = MockGateway { port: 0, server };
        // It writes one line of JSON, as soon as the socket accepts. With serde_json this is one call.
        let mut line = String::new();
        let stdout = gateway.server.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let (_, rest) = line
            .split_once("\"port\":")
            .expect("the gateway did not start");
        let port = rest.split([',', '}']).next().unwrap().trim();
        gateway.port = port.parse().unwrap();
        gateway
    }
}

impl Drop for MockGateway {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

// In a crate this is a #[test].
fn weather_in_oslo() {
    let gateway = MockGateway::start();
    let mut client = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let request = "GET /api/oagw/v1/proxy/weather/current?city=Oslo HTTP/1.1\r\n\
                   Host: 127.0.0.1\r\n\
                   Authorization: Bearer test-integration-token\r\n\
                   Connection: close\r\n\r\n";
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    let source = "X-OAGW-Error-Source: upstream";
    assert!(
        head.lines().any(|line| line.eq_ignore_ascii_case(source)),
        "{head}"
    );
    assert!(body.contains(r#""location":"Oslo""#), "{body}");
}

fn main() {
    weather_in_oslo();
    println!("ok");
}
