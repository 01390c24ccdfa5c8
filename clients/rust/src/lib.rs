//! Test clients of the OAGW gateway: start the mock gateway, stub it, break it, and ask what the client did.
//!
//! The crate needs the standard library alone. All tests of a binary share one gateway, and each has a
//! [`Sandbox`] of its own, so they run in parallel:
//!
//! ```
//! use oagw_mock::json;
//!
//! # struct Client(String, String);
//! # impl Client {
//! #     fn charge(&self, _: u32) -> u16 {
//! #         oagw_mock::call("POST", &format!("{}/v1/charges", self.0), &self.1, "{}").unwrap().status
//! #     }
//! # }
//! // In a crate this is a #[test].
//! fn a_declined_card_is_not_charged_again() {
//!     let sandbox = oagw_mock::sandbox().unwrap();
//!     let declined = json!({"status": 402, "json": {"error": "declined"}});
//!     sandbox.stub("POST stripe/v1/charges", declined).unwrap();
//!
//!     let client = Client(sandbox.alias_url("stripe"), sandbox.token().to_string());
//!     assert_eq!(client.charge(500), 402);
//!
//!     sandbox.verify("POST stripe/v1/charges", 1).unwrap();
//! }
//! # a_declined_card_is_not_charged_again();
//! ```
//!
//! If the test panics, what the gateway saw is in its captured output: the calls that nothing answered with the
//! nearest stub and the difference, the last calls, and what a careful client would not have done.
//!
//! # Which server
//!
//! [`Gateway::start`] and [`sandbox`] use the first of these:
//!
//! 1. the server that runs at `OAGW_URL`, with the tokens `OAGW_TOKEN` and `OAGW_ADMIN_TOKEN` if it needs others;
//! 2. `OAGW_SERVER`, a `server.py` or a command, and `OAGW_PYTHON`, the interpreter to run it with;
//! 3. the `server.py` of the checkout that this crate is from, if there is a `.venv` beside it;
//! 4. the command `oagw-mock`, if it is installed;
//! 5. that `server.py` with `uv run`, if `uv` is installed, or with `python3`.
//!
//! All but the first are stopped with the process that started them, even if it is killed. A runner that gives each
//! test a process of its own, such as `cargo nextest`, starts a server for each: run one, and set `OAGW_URL`.
//!
//! # Asynchronous tests
//!
//! The calls of this crate block, each for about a millisecond. `verify` with `within`, [`Clock::advance`] and
//! [`Clock::wait_pending`] wait for the client under test, so they must not block the only thread that it runs
//! on: use a runtime with several threads, or `spawn_blocking`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![allow(clippy::vec_init_then_push)] // json! does

use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display, Write as _};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::ops::{Index, RangeFrom, RangeInclusive, RangeToInclusive};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// The token that a gateway accepts by default.
const TOKEN: &str = "test-integration-token";
const API: &str = "/api/oagw/v1";
const PROXY: &str = "/api/oagw/v1/proxy/";
const SECRETS: &str = "/credstore/v1/secrets";
const HTTP: &str = "gts.cf.core.oagw.protocol.v1~cf.core.oagw.http.v1";

/// The time limit of a call. A `verify` with `within` takes up to 30 s.
const CALL: Duration = Duration::from_secs(60);
/// The time limit for the start of a server: `uv` may have to fetch its packages first.
const START: Duration = Duration::from_secs(120);
/// The time limit for what a dropped sandbox does.
const DROP: Duration = Duration::from_secs(2);
/// The part of it that is left for the deletion of the sandbox.
const DELETE: Duration = Duration::from_millis(300);
/// How long [`Clock::wait_pending`] waits.
const PENDING: Duration = Duration::from_secs(10);
/// How long a server that does not answer has to exit, so that its output can be reported.
const EXIT: Duration = Duration::from_secs(1);
/// How many situations of an exam are taken at a time.
const EXAMS: usize = 6;

/// The largest answer, its largest head, and the deepest JSON that is read.
const MAX_BODY: usize = 1 << 30;
const MAX_HEAD: usize = 1 << 18;
const MAX_DEPTH: usize = 128;
/// How much of a server's output is kept, of a document is shown in an error, and of what the gateway saw.
const MAX_OUTPUT: usize = 16_384;
const MAX_SHOWN: usize = 1_000;
const MAX_CARD: usize = 32_768;

/// The members of a stub mapping, as opposed to its response.
const OF_MAPPING: [&str; 13] = [
    "id",
    "uuid",
    "name",
    "times",
    "priority",
    "metadata",
    "persistent",
    "insertionIndex",
    "scenarioName",
    "requiredScenarioState",
    "newScenarioState",
    "postServeActions",
    "serveEventListeners",
];
/// The members of a toxic that are not attributes of its type.
const OF_TOXIC: [&str; 8] = ["name", "alias", "request", "toxicity", "stream", "times", "skip", "attributes"];

/// The members of an upstream and of a route, besides those that say where they lead.
const OF_UPSTREAM: [&str; 7] = ["auth", "headers", "plugins", "rate_limit", "cors", "tags", "enabled"];
const OF_ROUTE: [&str; 6] = ["plugins", "rate_limit", "cors", "tags", "enabled", "priority"];

// ---------------------------------------------------------------------------------------------- the gateway

/// A sandbox of the gateway that all tests of this process share.
///
/// The gateway starts with the first call, see [`Gateway::shared`].
pub fn sandbox() -> Result<Sandbox, Error> {
    Gateway::shared()?.sandbox()
}

/// A gateway: one that was started, or one that runs elsewhere.
///
/// Clones, and the sandboxes made from it, are the same gateway. The server that was started stops when the last
/// of them is dropped, and when this process ends, however it ends.
#[derive(Clone)]
pub struct Gateway(Arc<Server>);

/// What [`Gateway::builder`] returns: how to start a gateway.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    url: Option<String>,
    token: Option<String>,
    admin_token: Option<String>,
    command: Vec<OsString>,
    options: Vec<OsString>,
}

impl Gateway {
    /// Starts a gateway on a free port, or connects to the one at `OAGW_URL`.
    pub fn start() -> Result<Gateway, Error> {
        Gateway::builder().start()
    }

    /// Returns the gateway that all tests of this process share. It is started once, as by [`Gateway::start`].
    ///
    /// A static is never dropped. The server stops nevertheless, because it ends with its parent process.
    pub fn shared() -> Result<&'static Gateway, Error> {
        static SHARED: OnceLock<Result<Gateway, Error>> = OnceLock::new();
        SHARED.get_or_init(Gateway::start).as_ref().map_err(Clone::clone)
    }

    /// Connects to the gateway that runs at `url`, such as `http://127.0.0.1:8765`.
    pub fn connect(url: &str) -> Result<Gateway, Error> {
        Gateway::builder().url(url).start()
    }

    /// Configures a gateway of a test's own:
    ///
    /// ```
    /// use oagw_mock::Gateway;
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), oagw_mock::Error> {
    /// let gateway = Gateway::builder().options(["--clock", "manual"]).start()?;
    /// gateway.clock().advance(Duration::from_secs(3600))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The URL of the gateway, such as `http://127.0.0.1:41234`.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The URL of the upstream `alias`, without a trailing slash.
    pub fn alias_url(&self, alias: &str) -> String {
        format!("{}{PROXY}{alias}", self.url())
    }

    /// The bearer token of the default sandbox. Tests use the token of their [`Sandbox`] instead.
    pub fn token(&self) -> &str {
        &self.0.token
    }

    /// The id of the server's process, if this process started it.
    pub fn process_id(&self) -> Option<u32> {
        self.0.process.as_ref().map(|process| locked(&process.child).id())
    }

    /// Creates a sandbox: stubs, toxics and a journal for those who call with its token.
    pub fn sandbox(&self) -> Result<Sandbox, Error> {
        self.sandbox_with(())
    }

    /// Creates a sandbox with options: `expiresAfterSeconds`, `name`, by which a `--seed` tells sandboxes apart, and
    /// `tenants`, a tree such as `{"root": null, "child": "root"}`, see [`Sandbox::tenant_token`].
    pub fn sandbox_with(&self, options: impl Document) -> Result<Sandbox, Error> {
        let created = self.admin("POST", "/sandboxes", options)?;
        match (created["id"].as_str(), created["token"].as_str()) {
            (Some(id), Some(token)) => Ok(Sandbox {
                plane: Plane { server: self.0.clone(), token: Some(token.to_string()) },
                id: id.to_string(),
                tenants: created["tenants"].clone(),
                strict: false,
                failed: AtomicBool::new(false),
            }),
            _ => Err(Error::Malformed(format!("not a sandbox: {created}"))),
        }
    }

    /// Registers an upstream in the default sandbox, as [`Sandbox::upstream`] does. It is removed when it is dropped.
    #[must_use = "the upstream is removed when it is dropped"]
    pub fn upstream<'a>(
        &self,
        alias: impl Into<Option<&'a str>>,
        base_url: &str,
        options: impl Document,
    ) -> Result<Upstream, Error> {
        let mut upstream = upstream(&self.tenant(), alias.into(), base_url, options.read()?)?;
        upstream.temporary = true;
        Ok(upstream)
    }

    /// Lets calls of an upstream pass, see [`Sandbox::route`].
    pub fn route(&self, upstream: &Upstream, options: impl Document) -> Result<Route, Error> {
        route(&self.tenant(), upstream, options.read()?)
    }

    /// Puts a value into the credential store, as [`Sandbox::secret`] does. It is removed when it is dropped.
    #[must_use = "the secret is removed when it is dropped"]
    pub fn secret(&self, name: &str, value: &str, options: impl Document) -> Result<Secret, Error> {
        let mut secret = secret(&self.tenant(), name, value, options.read()?)?;
        secret.temporary = true;
        Ok(secret)
    }

    /// Calls the management API, `/api/oagw/v1` and `path`, and returns the JSON of the answer. `()` is no document.
    pub fn manage(&self, method: &str, path: &str, document: impl Document) -> Result<Json, Error> {
        self.tenant().ask_at(method, &format!("{API}{path}"), document.read()?, &[])
    }

    /// Who calls with the token of the gateway.
    fn tenant(&self) -> Plane {
        Plane { server: self.0.clone(), token: Some(self.0.token.clone()) }
    }

    /// The clock that all sandboxes share.
    pub fn clock(&self) -> Clock {
        Clock(self.clone())
    }

    /// The situations of the exam with these names or groups, or that match these patterns, such as `retry-*`; all of
    /// them, if there are none. What the variable `OAGW_EXAM` lists, with commas, is taken instead.
    pub fn situations(&self, only: &[&str]) -> Result<Vec<Situation>, Error> {
        let only = variable("OAGW_EXAM").unwrap_or_else(|| only.join(","));
        let found = self.admin("GET", &format!("/exam?only={}", encoded(&only)), ())?;
        let situation = |one: &Json| Situation { gateway: self.clone(), about: one.clone() };
        Ok(found["situations"].as_array().iter().map(situation).collect())
    }

    /// Examines a client in situations of the exam: those that [`situations`](Gateway::situations) returns, 6 at a time.
    ///
    /// `client` makes a call with the client under test, and returns the report on it. It runs in threads. If it
    /// panics, so does this: report the errors of the client instead.
    ///
    /// Returns the judgements, in the order of the situations: what was passed, and what was not judged. If the client
    /// failed in some, this is [`Error::NotVerified`] with a table of them and the evidence.
    ///
    /// ```
    /// use oagw_mock::{call, json, Gateway};
    ///
    /// # fn main() -> Result<(), oagw_mock::Error> {
    /// Gateway::shared()?.exam(&["not-retried-403", "streams"], |made| {
    ///     if made.kind != "call" || !made.headers.is_empty() {
    ///         return json!({"outcome": "unsupported"});
    ///     }
    ///     let body = made.body.as_ref().map_or(String::new(), |body| body.to_string());
    ///     match call(&made.method, &made.url, &made.token, &body) {
    ///         Ok(answer) if answer.status < 300 => json!({"outcome": "value", "value": answer.json().unwrap()}),
    ///         Ok(answer) => json!({"outcome": "error", "error": "status", "status": answer.status}),
    ///         Err(error) => json!({"outcome": "error", "error": "Error", "message": error.to_string()}),
    ///     }
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn exam<C>(&self, only: &[&str], client: C) -> Result<Vec<Judgement>, Error>
    where
        C: Fn(&ExamCall) -> Json + Send + Sync + 'static,
    {
        examined(&self.situations(only)?, Arc::new(client))
    }

    /// Calls the control plane, `/__admin` and `path`, for the default sandbox, and returns the JSON of the answer.
    ///
    /// `()` is no document.
    pub fn admin(&self, method: &str, path: &str, document: impl Document) -> Result<Json, Error> {
        let plane = Plane { server: self.0.clone(), token: self.0.admin_token.clone() };
        plane.ask(method, path, document.read()?, &[])
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gateway").field(&self.0.url).finish()
    }
}

impl Builder {
    /// Connects to the gateway at this URL instead of starting one. `OAGW_URL` does the same.
    pub fn url(mut self, url: impl Into<String>) -> Builder {
        self.url = Some(url.into());
        self
    }

    /// The token that the gateway accepts, `test-integration-token` by default.
    pub fn token(mut self, token: impl Into<String>) -> Builder {
        self.token = Some(token.into());
        self
    }

    /// The token of the control plane, if it needs one: the server's `--admin-token`.
    pub fn admin_token(mut self, token: impl Into<String>) -> Builder {
        self.admin_token = Some(token.into());
        self
    }

    /// The command to start, such as `["uvx", "oagw-mock"]`. The port and the options are added to it.
    pub fn command(mut self, command: impl IntoIterator<Item = impl Into<OsString>>) -> Builder {
        self.command = command.into_iter().map(Into::into).collect();
        self
    }

    /// Adds options of the command line, such as `["--clock", "manual"]`. A server at `OAGW_URL` has its own.
    pub fn options(mut self, options: impl IntoIterator<Item = impl Into<OsString>>) -> Builder {
        self.options.extend(options.into_iter().map(Into::into));
        self
    }

    /// Starts the gateway and waits until it accepts connections, or connects to the one at the URL.
    pub fn start(self) -> Result<Gateway, Error> {
        let token = self
            .token
            .clone()
            .or_else(|| variable("OAGW_TOKEN")?.split_whitespace().next().map(String::from));
        let admin_token = self.admin_token.clone().or_else(|| variable("OAGW_ADMIN_TOKEN"));
        let elsewhere = match &self.url {
            Some(url) => Some(url.clone()),
            None if self.command.is_empty() => variable("OAGW_URL"),
            None => None,
        };
        let (url, process) = match elsewhere {
            Some(url) => (url, None),
            None => self.spawned(&token, &admin_token).map(|(url, process)| (url, Some(process)))?,
        };
        let (host, addresses) = resolved(&url)?;
        Ok(Gateway(Arc::new(Server {
            url: url.trim_end_matches('/').to_string(),
            host,
            addresses,
            token: token.unwrap_or_else(|| TOKEN.to_string()),
            admin_token,
            process,
        })))
    }

    fn spawned(&self, token: &Option<String>, admin: &Option<String>) -> Result<(String, Process), Error> {
        let mut arguments: Vec<OsString> = vec!["0".into(), "--exit-with-parent".into()];
        arguments.extend(token.iter().map(|token| format!("--token={token}").into()));
        arguments.extend(admin.iter().map(|token| format!("--admin-token={token}").into()));
        arguments.extend(self.options.iter().cloned());
        let commands = match self.command.is_empty() {
            true => commands(),
            false => vec![self.command.clone()],
        };
        let mut tried = Vec::new();
        for command in commands {
            let name = command[0].to_string_lossy().into_owned();
            match Process::spawn(&command, &arguments) {
                Ok((process, lines)) => return process.listening(lines).map(|url| (url, process)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => tried.push(name),
                Err(error) => return Err(Error::GatewayFailed(format!("cannot run {name}: {error}"))),
            }
        }
        let tried = tried.join(", ");
        Err(Error::GatewayFailed(format!(
            "not found: {tried}; set OAGW_PYTHON and OAGW_SERVER, or OAGW_URL if the gateway runs"
        )))
    }
}

/// The commands that may start a server; the first that exists does.
fn commands() -> Vec<Vec<OsString>> {
    let ours = Path::new(option_env!("CARGO_MANIFEST_DIR").unwrap_or(".")).join("../../server.py");
    let ours = (ours.is_file() && ours.with_file_name("oagw").is_dir()).then_some(ours);
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    match (std::env::var_os("OAGW_PYTHON"), std::env::var_os("OAGW_SERVER"), ours) {
        (Some(python), Some(server), _) => vec![vec![python, server]],
        (Some(python), None, Some(ours)) => vec![vec![python, ours.into()]],
        (Some(python), None, None) => vec![vec![python, "-m".into(), "oagw".into()]],
        (None, Some(server), _) if Path::new(&server).extension() != Some("py".as_ref()) => {
            vec![vec![server]]
        }
        (None, Some(server), _) => vec![vec![python_beside(&server), server]],
        (None, None, None) => vec![words(&["oagw-mock"]), words(&["python3", "-m", "oagw"])],
        (None, None, Some(ours)) => match python_beside(ours.as_os_str()) {
            python if python != "python3" => vec![vec![python, ours.into()]],
            python3 => vec![
                words(&["oagw-mock"]),
                words(&["uv", "run", "--quiet"]).into_iter().chain([ours.clone().into()]).collect(),
                vec![python3, ours.into()],
            ],
        },
    }
}

/// The interpreter of the environment beside `server`, or `python3`.
fn python_beside(server: &OsStr) -> OsString {
    let python = Path::new(server).with_file_name(".venv").join("bin/python");
    if python.exists() {
        python.into()
    } else {
        "python3".into()
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns the host of `url`, with its port, and its addresses.
fn resolved(url: &str) -> Result<(String, Vec<SocketAddr>), Error> {
    let wrong = |why: &str| {
        let shown = match url.rsplit_once('@') {
            Some((_, host)) => format!("...@{host}"), // there may be a password before it
            None => url.to_string(),
        };
        let like = "such as http://127.0.0.1:8765";
        Error::Unreachable(format!("{shown:?} is not the URL of a gateway, {like}: {why}"))
    };
    let is_http = url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
    let host = match is_http {
        true => url[7..].trim_end_matches('/'),
        false => return Err(wrong("it is not an http URL")),
    };
    if host.contains(['/', '?', '#', '@']) || host.contains(char::is_whitespace) {
        return Err(wrong("it must have a host and a port alone"));
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    let with_port = if has_port { host.to_string() } else { format!("{host}:80") };
    let addresses = with_port.to_socket_addrs().map_err(|error| wrong(&error.to_string()))?;
    Ok((host.to_string(), addresses.collect()))
}

struct Server {
    url: String,
    host: String,
    addresses: Vec<SocketAddr>,
    token: String,
    admin_token: Option<String>,
    process: Option<Process>,
}

impl Server {
    fn exchange(&self, request: &Request<'_>, deadline: Instant) -> Result<Answer, Error> {
        exchange(&self.host, &self.addresses, request, deadline)
            .map_err(|error| unreachable(request.method, &self.url, request.target, &error))
    }
}

fn unreachable(method: &str, base: &str, target: &str, error: &io::Error) -> Error {
    Error::Unreachable(format!("{method} {base}{target} has failed: {error}"))
}

/// A server that this process started.
struct Process {
    child: Mutex<Child>,
    output: Arc<Mutex<Vec<u8>>>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Process {
    /// Starts the server; its lines come from the receiver.
    fn spawn(command: &[OsString], arguments: &[OsString]) -> io::Result<(Process, mpsc::Receiver<String>)> {
        // The server stops when its standard input ends, so it cannot outlive us, even if we are killed.
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let output = Arc::new(Mutex::new(Vec::new()));
        let (sender, lines) = mpsc::channel();
        let readers = [
            child.stdout.take().map(|pipe| read_lines(pipe, output.clone(), Some(sender))),
            child.stderr.take().map(|pipe| read_lines(pipe, output.clone(), None)),
        ];
        let readers = readers.into_iter().flatten().collect();
        Ok((Process { child: Mutex::new(child), output, readers }, lines))
    }

    /// Waits for the line that says where the server listens, and returns its URL.
    fn listening(&self, lines: mpsc::Receiver<String>) -> Result<String, Error> {
        let deadline = Instant::now() + START;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => match Json::parse(&line) {
                    Ok(line) if line["event"] == "listening" => {
                        return Ok(line["url"].as_str().unwrap_or_default().to_string());
                    }
                    _ => continue,
                },
                Err(RecvTimeoutError::Timeout) => {
                    let text = format!("the gateway did not start within {START:?}:\n{}", self.said());
                    return Err(Error::GatewayFailed(text));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.ended(Instant::now() + EXIT).unwrap_or_else(|| {
                        Error::GatewayFailed(format!("the gateway did not start:\n{}", self.said()))
                    }));
                }
            }
        }
    }

    /// Returns an error that says how the server ended, if it ends before the deadline and within EXIT.
    fn ended(&self, deadline: Instant) -> Option<Error> {
        let deadline = deadline.min(Instant::now() + EXIT);
        let status = until(deadline, || locked(&self.child).try_wait().ok().flatten())?;
        until(deadline, || self.readers.iter().all(|reader| reader.is_finished()).then_some(()));
        Some(Error::GatewayFailed(format!("the gateway ended with {status}:\n{}", self.said())))
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&locked(&self.output)).trim().to_string()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = locked(&self.child);
        drop(child.stdin.take()); // tells a server that a launcher such as `uv` started
        let _ = (child.kill(), child.wait());
    }
}

/// Reads what a server writes, so that it never waits for us, and keeps the end of it.
fn read_lines(
    pipe: impl Read + Send + 'static,
    output: Arc<Mutex<Vec<u8>>>,
    sender: Option<mpsc::Sender<String>>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while matches!((&mut pipe).take(MAX_OUTPUT as u64).read_until(b'\n', &mut line), Ok(size) if size > 0)
        {
            if let Some(sender) = &sender {
                let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
            }
            let mut output = locked(&output);
            output.append(&mut line);
            let excess = output.len().saturating_sub(MAX_OUTPUT);
            output.drain(..excess);
        }
    })
}

/// Asks again and again until there is an answer or the deadline has passed.
fn until<T>(deadline: Instant, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Locks a mutex, also after a panic elsewhere: what it guards is never half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

// ----------------------------------------------------------------------------------------------- a sandbox

/// A test's own part of the gateway: requests with its [`token`](Sandbox::token) use its stubs, toxics and journal.
///
/// If it is dropped while the test panics, or after one of its methods has returned an error, it prints
/// [`report_text`](Sandbox::report_text) into the test's captured output. Then it is deleted with all its state.
/// This takes at most 2 seconds and never panics.
///
/// A *request* is `"METHOD alias/path"`, `"METHOD /path"` or a [`pattern`] in WireMock's JSON. Methods return
/// [`Error::Refused`] with the text of the control plane if it refuses a document.
///
/// ```
/// # fn main() -> Result<(), oagw_mock::Error> {
/// use oagw_mock::{json, pattern};
///
/// let sandbox = oagw_mock::sandbox()?;
/// let current = "GET weather/current";
/// sandbox.stub(current, json!({"problem": {"category": "resource_exhausted", "retryAfter": 1}, "times": 1}))?;
/// sandbox.stub("GET stripe/v1/charges/{id}", r#"{"json": {"id": "ch_1"}, "delay": 0.01}"#)?;
/// let keyed = pattern("POST stripe/v1/charges", json!({"headers": {"Idempotency-Key": {"matches": ".+"}}}));
/// sandbox.stub(keyed, json!({"status": 201}))?;
/// sandbox.toxic("reset_peer", json!({"alias": "stream-test", "after_events": 2}))?;
///
/// let limit = json!({"sustained": {"rate": 2, "window": "minute"}});
/// let upstream = sandbox.upstream("payments", "http://localhost:9000", json!({"rate_limit": limit}))?;
/// sandbox.route(&upstream, json!({"path": "/v1", "methods": ["GET"], "query": ["limit"]}))?;
/// assert_eq!(upstream.url(), sandbox.alias_url("payments"));
///
/// // `call` stands for the client under test.
/// assert_eq!(sandbox.call("GET weather/current?city=Oslo")?.status, 429);
/// assert_eq!(sandbox.call("GET weather/current?city=Oslo")?.json()?["condition"], "sunny");
/// assert_eq!(sandbox.call("GET stripe/v1/charges/ch_1")?.json()?["id"], "ch_1");
/// assert!(sandbox.call("GET stream-test/events").is_err());
///
/// sandbox.verify(current, 2)?;
/// sandbox.verify("GET weather/current?city=Oslo", 1..)?;
/// sandbox.verify(current, json!({"after": current, "times": 1, "notLaterThan": 60}))?;
/// assert_eq!(sandbox.requests(current)?[0]["oagw"]["status"], 429);
/// assert_eq!(sandbox.report()?["findings"][0]["rule"], "retry-after-not-honoured");
/// let error = sandbox.verify("POST weather/current", ()).unwrap_err();
/// assert!(error.to_string().starts_with("Expected at least 1 request, but there were none:"));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Sandbox {
    plane: Plane,
    id: String,
    tenants: Json,
    strict: bool,
    failed: AtomicBool,
}

impl Sandbox {
    /// The bearer token that the client under test must send.
    pub fn token(&self) -> &str {
        self.plane.token.as_deref().unwrap_or_default()
    }

    /// The id of the sandbox.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The token of a tenant that the sandbox was created with: it leads to the sandbox as this tenant.
    pub fn tenant_token(&self, name: &str) -> Option<&str> {
        self.tenants[name]["token"].as_str()
    }

    /// The gateway of the sandbox.
    pub fn gateway(&self) -> Gateway {
        Gateway(self.plane.server.clone())
    }

    /// The URL of the gateway, such as `http://127.0.0.1:41234`.
    pub fn url(&self) -> &str {
        &self.plane.server.url
    }

    /// The URL of the upstream `alias`, without a trailing slash.
    pub fn alias_url(&self, alias: &str) -> String {
        format!("{}{PROXY}{alias}", self.url())
    }

    /// Answers the requests that match `request` with `response`.
    ///
    /// `response` has the members of WireMock's response definition (`status`, `headers`, `body`, `jsonBody`...)
    /// and of the gateway's (`problem`, `sse`, `errorSource`), and besides them, for short,
    ///
    /// - `json`: `jsonBody`, sent as `application/json` unless `headers` have a `Content-Type`;
    /// - `delay`: the seconds before the answer;
    /// - the members of the mapping: `times` (how many requests it answers), `priority`, `scenarioName`...
    ///
    /// With a member `response`, the document is a whole stub mapping without its `request`.
    pub fn stub(&self, request: impl Pattern, response: impl Document) -> Result<Stub, Error> {
        self.noted(|| {
            let request = request.pattern()?;
            let document = mapping(request, response.read()?.unwrap_or_default())?;
            let created = self.plane.ask("POST", "/mappings", Some(document), &[])?;
            let id = created["id"].as_str().unwrap_or_default().to_string();
            Ok(Stub { plane: self.plane.clone(), id })
        })
    }

    /// Adds a toxic of Toxiproxy's `kind`, such as `latency`, to responses.
    ///
    /// `document` has its attributes, and `alias` or `request` if it is to act on some responses alone,
    /// `toxicity`, its probability, or a `name`, by default a unique one. `latency`, `jitter`, `timeout` and the
    /// `delay` of `slow_close` are in milliseconds, the `delay` of `slicer` in microseconds, `rate` in KB per
    /// second, sizes in bytes.
    pub fn toxic(&self, kind: &str, document: impl Document) -> Result<Toxic, Error> {
        self.noted(|| {
            let document = toxic(kind, document.read()?.unwrap_or_default())?;
            let created = self.plane.ask("POST", "/toxics", Some(document), &[])?;
            let name = created["name"].as_str().unwrap_or_default().to_string();
            Ok(Toxic { plane: self.plane.clone(), name })
        })
    }

    /// Checks how many requests match `request`, and returns their number.
    ///
    /// `expected` is a number, a range such as `2..` or `..=3`, `()` for one or more, or a document with `times`,
    /// `atLeast`, `atMost`, `after` (another request: those alone count that came after it), `notSoonerThan`,
    /// `notLaterThan` (the seconds between the two) and `within` (the seconds to wait until it is so).
    ///
    /// [`Error::NotVerified`] explains what came instead.
    pub fn verify(&self, request: impl Pattern, expected: impl Expected) -> Result<u64, Error> {
        self.noted(|| {
            let mut document = vec![("request".to_string(), request.pattern()?)];
            for (name, value) in members(expected.expected()?)? {
                let value = if name == "after" { value.pattern()? } else { value };
                document.push((name, value));
            }
            let outcome = self.plane.ask("POST", "/verify", Some(Json::Object(document)), &[409])?;
            if outcome["verified"] == true {
                return Ok(outcome["count"].as_u64().unwrap_or_default());
            }
            Err(Error::NotVerified(outcome["text"].as_str().unwrap_or_default().to_string()))
        })
    }

    /// The requests of the journal that match `request`, oldest first; all with `()`.
    ///
    /// Each is WireMock's LoggedRequest: `method`, `url`, `headers`, `body`... Its member `oagw` describes the
    /// response: `status`, `answeredBy`, `connection`, `ended`...
    pub fn requests(&self, request: impl Pattern) -> Result<Vec<Json>, Error> {
        self.noted(|| {
            let found = self.plane.ask("POST", "/requests/find", Some(request.pattern()?), &[])?;
            Ok(found["requests"].as_array().to_vec())
        })
    }

    /// The report on the client: in `findings` what a careful client would not do, in `unused` the stubs and
    /// toxics without effect.
    ///
    /// `admin("GET", "/report?retryDue=true&streamsCancelled=true", ())` also checks that every truncated
    /// response was retried, and that every stream was cancelled.
    pub fn report(&self) -> Result<Json, Error> {
        self.noted(|| self.plane.ask("GET", "/report?format=json", None, &[]))
    }

    /// The report as text for people: calls that nothing answered, findings, what had no effect, the last calls.
    pub fn report_text(&self) -> Result<String, Error> {
        self.noted(|| self.plane.report(Instant::now() + CALL))
    }

    /// Registers an upstream at `base_url`, such as `http://127.0.0.1:9000/v1`, and a route for its path.
    ///
    /// The client under test calls [`Upstream::url`], which stands for the base URL. `localhost` becomes 127.0.0.1. An
    /// IP address needs an alias; that of a hostname follows from it, so it must be `None`.
    ///
    /// `options` has the members of the management API (`auth`, `headers`, `plugins`, `rate_limit`, `cors`, `tags`,
    /// `enabled`), and for the route `methods`, by default all that it can have, and `query`, the query parameters
    /// that it allows, by default none. With `"route": false` there is none.
    pub fn upstream<'a>(
        &self,
        alias: impl Into<Option<&'a str>>,
        base_url: &str,
        options: impl Document,
    ) -> Result<Upstream, Error> {
        self.noted(|| upstream(&self.plane, alias.into(), base_url, options.read()?))
    }

    /// Lets calls of an upstream pass.
    ///
    /// `options` has `path`, the beginning of the path below the alias (`/` by default; the longest one counts),
    /// `methods` and `query` as in [`upstream`](Sandbox::upstream), and `path_suffix_mode`, `priority`, `plugins`,
    /// `rate_limit`, `cors`, `tags` and `enabled` of the management API.
    pub fn route(&self, upstream: &Upstream, options: impl Document) -> Result<Route, Error> {
        self.noted(|| route(&self.plane, upstream, options.read()?))
    }

    /// Puts a value into the credential store, for `{"secret_ref": secret.reference()}` in an `auth`.
    ///
    /// `options` may have its `sharing`: `private`, `tenant` or `shared`.
    pub fn secret(&self, name: &str, value: &str, options: impl Document) -> Result<Secret, Error> {
        self.noted(|| secret(&self.plane, name, value, options.read()?))
    }

    /// Calls the management API, `/api/oagw/v1` and `path`, and returns the JSON of the answer. `()` is no document.
    pub fn manage(&self, method: &str, path: &str, document: impl Document) -> Result<Json, Error> {
        self.noted(|| self.plane.ask_at(method, &format!("{API}{path}"), document.read()?, &[]))
    }

    /// Deletes the stubs, toxics, requests, upstreams and secrets, and resets the scenarios and settings.
    pub fn reset(&self) -> Result<(), Error> {
        self.noted(|| self.plane.ask("POST", "/reset", None, &[]).map(drop))
    }

    /// The clock of the gateway, which all sandboxes share.
    pub fn clock(&self) -> Clock {
        self.gateway().clock()
    }

    /// Waits until an answer waits for a time to come, see [`Clock::wait_pending`].
    pub fn wait_pending(&self) -> Result<(), Error> {
        self.noted(|| self.clock().wait_pending(1))
    }

    /// Calls the control plane, `/__admin` and `path`, for this sandbox, and returns the JSON of the answer.
    ///
    /// `()` is no document.
    pub fn admin(&self, method: &str, path: &str, document: impl Document) -> Result<Json, Error> {
        self.noted(|| self.plane.ask(method, path, document.read()?, &[]))
    }

    /// Calls the gateway as a client would, with the token of the sandbox: `"GET weather/current?city=Oslo"`.
    pub fn call(&self, request: &str) -> Result<Answer, Error> {
        self.call_with(request, ())
    }

    /// Calls the gateway as a client would, with a JSON body; `()` is no body.
    pub fn call_with(&self, request: &str, body: impl Document) -> Result<Answer, Error> {
        let (method, path) = method_and_path(request)?;
        let body = body.read()?.map(|body| body.encoded()).transpose()?;
        let request = Request { method, target: &path, token: Some(self.token()), body: body.as_deref() };
        self.plane.server.exchange(&request, Instant::now() + CALL)
    }

    /// Makes [`finish`](Sandbox::finish) panic if a stub was not called, or if neither a stub nor a service could
    /// answer a call.
    pub fn strict(mut self) -> Sandbox {
        self.strict = true;
        self
    }

    /// Ends the sandbox at the end of a test that did not fail. Panics if it is [`strict`](Sandbox::strict) and
    /// finds fault.
    #[track_caller]
    pub fn finish(self) {
        if !self.strict || thread::panicking() {
            return;
        }
        match self.complaint() {
            Ok(text) if text.is_empty() => (),
            Ok(text) => panic!("{text}"),
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns what a strict test fails for, or "".
    fn complaint(&self) -> Result<String, Error> {
        let report = self.plane.ask("GET", "/report?format=json", None, &[])?;
        let text = |one: &Json| one["text"].as_str().unwrap_or_default().replace('\n', "\n  ");
        let mut complaint = String::new();
        for one in report["unmatched"].as_array() {
            let _ = writeln!(complaint, "Nothing could answer a call:\n  {}", text(one));
        }
        for one in report["unused"].as_array().iter().filter(|one| one["kind"] == "stub") {
            let name = one["name"].as_str().or(one["id"].as_str()).unwrap_or_default();
            let _ = writeln!(complaint, "A stub was not called: {name}\n  {}", text(one));
        }
        Ok(complaint)
    }

    /// Remembers that a method failed: a test that returns the error does not panic.
    fn noted<T>(&self, act: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let result = act();
        if result.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("id", &self.id).field("url", &self.url()).finish()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let deadline = Instant::now() + DROP;
        let failed = thread::panicking() || self.failed.load(Ordering::Relaxed);
        let (plane, path) = (self.plane.clone(), format!("/__admin/sandboxes/{}", self.id));
        let delete = move || {
            let admin = Plane { token: plane.server.admin_token.clone(), ..plane.clone() };
            let _ = admin.exchange("DELETE", &path, None, deadline);
        };
        if !failed {
            return delete();
        }
        // A thread shares the captured output of the test, and its panic is not one during another.
        let (done, over) = mpsc::channel::<()>();
        let (plane, id) = (self.plane.clone(), self.id.clone());
        let print = move || {
            let seen = plane.report(deadline - DELETE);
            let mut seen = seen.unwrap_or_else(|error| format!("no report: {error}\n"));
            shorten(&mut seen, MAX_CARD);
            let text = format!("\n---- what the gateway saw in sandbox {id} ----\n{seen}----\n");
            let _ = panic::catch_unwind(|| eprint!("{text}")); // fails if standard error is closed
            delete();
            drop(done);
        };
        if thread::Builder::new().spawn(print).is_ok() {
            let _ = over.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        }
    }
}

/// A stub of a sandbox.
#[derive(Clone)]
pub struct Stub {
    plane: Plane,
    id: String,
}

impl Stub {
    /// The id of the stub.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The requests that the stub answered, oldest first, as in [`Sandbox::requests`].
    pub fn requests(&self) -> Result<Vec<Json>, Error> {
        let path = format!("/requests?matchingStub={}", self.id);
        let found = self.plane.ask("GET", &path, None, &[])?;
        Ok(found["requests"].as_array().iter().rev().map(|event| event["request"].clone()).collect())
    }

    /// Deletes the stub, if it still exists.
    pub fn remove(self) -> Result<(), Error> {
        self.plane.ask("DELETE", &format!("/mappings/{}", self.id), None, &[404]).map(drop)
    }
}

impl fmt::Debug for Stub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stub").field(&self.id).finish()
    }
}

/// A toxic of a sandbox.
#[derive(Clone)]
pub struct Toxic {
    plane: Plane,
    name: String,
}

impl Toxic {
    /// The name of the toxic, which is also in the journal.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Deletes the toxic, if it still exists.
    pub fn remove(self) -> Result<(), Error> {
        self.plane.ask("DELETE", &format!("/toxics/{}", encoded(&self.name)), None, &[404]).map(drop)
    }
}

impl fmt::Debug for Toxic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Toxic").field(&self.name).finish()
    }
}

/// An upstream. That of a sandbox is deleted with it; that of a gateway when it is dropped.
pub struct Upstream {
    plane: Plane,
    id: String,
    alias: String,
    url: String,
    temporary: bool,
}

impl Upstream {
    /// The id of the upstream.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The effective alias: that of a hostname follows from it.
    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// What the client under test calls; it stands for the base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Deletes the upstream with its routes, if it still exists.
    pub fn remove(mut self) -> Result<(), Error> {
        self.temporary = false;
        self.plane.ask_at("DELETE", &self.target(), None, &[404]).map(drop)
    }

    fn target(&self) -> String {
        format!("{API}/upstreams/{}", self.id)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if self.temporary {
            let _ = self.plane.exchange("DELETE", &self.target(), None, Instant::now() + DROP);
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("alias", &self.alias).field("id", &self.id).finish()
    }
}

/// A route. It is deleted with its upstream.
#[derive(Clone)]
pub struct Route {
    plane: Plane,
    id: String,
}

impl Route {
    /// The id of the route.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Deletes the route, if it still exists.
    pub fn remove(self) -> Result<(), Error> {
        self.plane.ask_at("DELETE", &format!("{API}/routes/{}", self.id), None, &[404]).map(drop)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.id).finish()
    }
}

/// A secret. That of a sandbox is deleted with it; that of a gateway when it is dropped.
pub struct Secret {
    plane: Plane,
    name: String,
    temporary: bool,
}

impl Secret {
    /// What the configuration of an `auth` refers to it by: `cred://` and its name.
    pub fn reference(&self) -> String {
        format!("cred://{}", self.name)
    }

    /// Deletes the secret, if it still exists.
    pub fn remove(mut self) -> Result<(), Error> {
        self.temporary = false;
        self.plane.ask_at("DELETE", &self.target(), None, &[404]).map(drop)
    }

    fn target(&self) -> String {
        format!("{SECRETS}/{}", self.name)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        if self.temporary {
            let _ = self.plane.exchange("DELETE", &self.target(), None, Instant::now() + DROP);
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secret").field(&self.name).finish()
    }
}

fn upstream(
    plane: &Plane,
    alias: Option<&str>,
    base_url: &str,
    options: Option<Json>,
) -> Result<Upstream, Error> {
    let (endpoint, path) = endpoint(base_url)?;
    let mut document = vec![
        ("protocol".to_string(), Json::from(HTTP)),
        ("server".to_string(), json!({"endpoints": [endpoint]})),
    ];
    document.extend(alias.map(|alias| ("alias".to_string(), Json::from(alias))));
    let target = if path.is_empty() { "/" } else { &path };
    let mut of_route = vec![("path".to_string(), Json::from(target))];
    let mut routed = true;
    for (name, value) in members(options.unwrap_or_default())? {
        match name.as_str() {
            "methods" | "query" => of_route.push((name, value)),
            "route" => routed = value != false,
            name if OF_UPSTREAM.contains(&name) => document.push((name.to_string(), value)),
            _ => return Err(unknown(&name, "methods, query, route", &OF_UPSTREAM)),
        }
    }
    let made = plane.ask_at("POST", &format!("{API}/upstreams"), Some(Json::Object(document)), &[])?;
    let alias = made["alias"].as_str().unwrap_or_default().to_string();
    let made = Upstream {
        plane: plane.clone(),
        id: made["id"].as_str().unwrap_or_default().to_string(),
        url: format!("{}{PROXY}{alias}{path}", plane.server.url),
        alias,
        temporary: false,
    };
    if routed {
        if let Err(error) = route(plane, &made, Some(Json::Object(of_route))) {
            let _ = made.remove();
            return Err(error);
        }
    }
    Ok(made)
}

fn route(plane: &Plane, upstream: &Upstream, options: Option<Json>) -> Result<Route, Error> {
    let mut matching = vec![
        ("path".to_string(), Json::from("/")),
        ("methods".to_string(), json!(["GET", "POST", "PUT", "DELETE", "PATCH"])),
        ("query_allowlist".to_string(), json!([])),
    ];
    let mut document = vec![("upstream_id".to_string(), Json::from(upstream.id.as_str()))];
    for (name, value) in members(options.unwrap_or_default())? {
        let member = if name == "query" { "query_allowlist" } else { &name };
        match matching.iter_mut().find(|(known, _)| known == member) {
            Some((_, default)) => *default = value,
            None if member == "path_suffix_mode" => matching.push((name, value)),
            None if OF_ROUTE.contains(&member) => document.push((name, value)),
            None => return Err(unknown(&name, "path, methods, query, path_suffix_mode", &OF_ROUTE)),
        }
    }
    document.push(("match".to_string(), json!({"http": Json::Object(matching)})));
    let made = plane.ask_at("POST", &format!("{API}/routes"), Some(Json::Object(document)), &[])?;
    Ok(Route { plane: plane.clone(), id: made["id"].as_str().unwrap_or_default().to_string() })
}

fn secret(plane: &Plane, name: &str, value: &str, options: Option<Json>) -> Result<Secret, Error> {
    let mut document =
        vec![("reference".to_string(), Json::from(name)), ("value".to_string(), Json::from(value))];
    document.extend(members(options.unwrap_or_default())?);
    plane.ask_at("POST", SECRETS, Some(Json::Object(document)), &[])?;
    Ok(Secret { plane: plane.clone(), name: name.to_string(), temporary: false })
}

/// The gateway ignores members that it does not know.
fn unknown(name: &str, some: &str, more: &[&str]) -> Error {
    Error::Malformed(format!("there is no option {name:?}, but {some}, {}", more.join(", ")))
}

/// The endpoint of a base URL, and its path without a slash at the end.
fn endpoint(base_url: &str) -> Result<(Json, String), Error> {
    let wrong = || {
        let shown = match base_url.rsplit_once('@') {
            Some((_, host)) => format!("...@{host}"), // there may be a password before it
            None => base_url.to_string(),
        };
        let like = "such as http://127.0.0.1:9000/v1";
        Error::Malformed(format!("{shown:?} is not the base URL of an upstream, {like}"))
    };
    let (scheme, rest) = base_url.split_once("://").ok_or_else(wrong)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = scheme.to_lowercase();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse::<u32>().map_err(|_| wrong())?),
        _ => (authority, if scheme == "http" { 80 } else { 443 }),
    };
    let is_literal = host.starts_with('[') && host.ends_with(']');
    let odd = |c: char| c.is_whitespace() || matches!(c, '@' | '?' | '#');
    if host.is_empty() || base_url.contains(odd) || !is_literal && host.contains([':', '[', ']']) {
        return Err(wrong());
    }
    let host = if host.eq_ignore_ascii_case("localhost") { "127.0.0.1" } else { host };
    let host = host.trim_matches(|c| matches!(c, '[' | ']'));
    Ok((json!({"scheme": scheme, "host": host, "port": port}), path.trim_end_matches('/').to_string()))
}

/// The clock of a gateway, which all its sandboxes share. It can be moved with the server's `--clock manual`.
///
/// Tests that move a clock should start a gateway of their own, see [`Gateway::builder`].
#[derive(Clone, Debug)]
pub struct Clock(Gateway);

impl Clock {
    /// Moves the clock. Returns when all that fell due has been written.
    pub fn advance(&self, step: Duration) -> Result<(), Error> {
        self.0.admin("POST", "/clock/advance", json!({"seconds": step.as_secs_f64()})).map(drop)
    }

    /// Moves the clock until no answer waits for a time to come.
    pub fn advance_until_idle(&self) -> Result<(), Error> {
        self.0.admin("POST", "/clock/advance", json!({"untilIdle": true})).map(drop)
    }

    /// What the clock shows: `mode`, `now` in seconds since 1970, `pending`, `next`, `timers`.
    pub fn state(&self) -> Result<Json, Error> {
        self.0.admin("GET", "/clock", ())
    }

    /// Waits until `count` answers wait for a time to come, 10 s at most: then it is time to advance the clock.
    pub fn wait_pending(&self, count: u64) -> Result<(), Error> {
        let mut pending = 0;
        let waited = until(Instant::now() + PENDING, || match self.state() {
            Ok(state) => {
                pending = state["pending"].as_u64().unwrap_or_default();
                (pending >= count).then_some(Ok(()))
            }
            Err(error) => Some(Err(error)),
        });
        waited.unwrap_or_else(|| {
            let text = format!("after {PENDING:?}, {pending} answers wait for the clock, not {count}");
            Err(Error::NotVerified(text))
        })
    }
}

/// Who calls the control plane, and with which token.
#[derive(Clone)]
struct Plane {
    server: Arc<Server>,
    token: Option<String>,
}

impl Plane {
    /// Calls the control plane. If there is no answer because the server has ended, the error says so.
    fn exchange(
        &self,
        method: &str,
        target: &str,
        body: Option<&str>,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        let token = self.token.as_deref();
        self.server.exchange(&Request { method, target, token, body }, deadline).map_err(|error| {
            let process = self.server.process.as_ref();
            process.and_then(|process| process.ended(deadline)).unwrap_or(error)
        })
    }

    /// Calls `/__admin` and `path`. A status of 300 or more is an error, unless it is in `accepted`.
    fn ask(&self, method: &str, path: &str, document: Option<Json>, accepted: &[u16]) -> Result<Json, Error> {
        self.ask_at(method, &format!("/__admin{path}"), document, accepted)
    }

    /// Calls `target`, as `ask` does.
    fn ask_at(
        &self,
        method: &str,
        target: &str,
        document: Option<Json>,
        accepted: &[u16],
    ) -> Result<Json, Error> {
        let body = document.as_ref().map(Json::encoded).transpose()?;
        let answer = self.exchange(method, target, body.as_deref(), Instant::now() + CALL)?;
        for warning in answer.headers("X-OAGW-Warning") {
            eprintln!("warning: {warning}");
        }
        let found = if answer.body.is_empty() { Ok(Json::Null) } else { answer.json() };
        let refused = found.as_ref().ok().filter(|_| answer.status >= 300).and_then(refusal);
        match found {
            Ok(_) if answer.status == 404 && accepted.contains(&404) => return Ok(Json::Null), // gone already
            Ok(found) if refused.is_none() && (answer.status < 300 || accepted.contains(&answer.status)) => {
                return Ok(found)
            }
            _ => (),
        }
        let text = refused.unwrap_or_else(|| {
            let excerpt = answer.text().split_whitespace().collect::<Vec<_>>().join(" ");
            let what = if target.starts_with(API) { "API" } else { "control plane" };
            format!("this is not the {what} of a mock gateway: {}", shortened(excerpt))
        });
        let mut request = format!("{method} {target}");
        if let Some(body) = body.filter(|_| target != SECRETS) {
            let _ = write!(request, " {}", shortened(body));
        }
        Err(Error::Refused { status: answer.status, text, request })
    }

    fn report(&self, deadline: Instant) -> Result<String, Error> {
        let target = "/__admin/report?format=text";
        let answer = self.exchange("GET", target, None, deadline)?;
        if answer.status == 200 {
            return Ok(answer.text());
        }
        let found = answer.json().ok().and_then(|found| refusal(&found));
        let text = found.unwrap_or_else(|| shortened(answer.text()));
        Err(Error::Refused { status: answer.status, text, request: format!("GET {target}") })
    }
}

/// The details of the errors in a refusal; None if there are none.
fn refusal(document: &Json) -> Option<String> {
    let errors = document["errors"].as_array().iter();
    let lines: Vec<String> = errors
        .filter_map(|error| match (error["source"]["pointer"].as_str(), error["detail"].as_str()?) {
            (Some(pointer), detail) if !pointer.is_empty() => Some(format!("{pointer}: {detail}")),
            (_, detail) => Some(detail.to_string()),
        })
        .collect();
    let problem = || document["error"].as_str().map(String::from); // of the gateway
    if lines.is_empty() {
        problem()
    } else {
        Some(lines.join("; "))
    }
}

fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("... (cut)\n");
    }
}

fn shortened(mut text: String) -> String {
    shorten(&mut text, MAX_SHOWN);
    text.trim_end().to_string()
}

/// Percent-encodes a segment of a path.
fn encoded(segment: &str) -> String {
    let mut text = String::new();
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(byte.into()),
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

// -------------------------------------------------------------------------------------------------- the exam

/// A situation of the exam: what happens to a client, and what a correct client does.
#[derive(Clone)]
pub struct Situation {
    gateway: Gateway,
    about: Json,
}

/// A call that the client under test has to make.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExamCall {
    /// The situation, and the number of the call.
    pub id: String,
    /// `call`, `stream` or `pages`.
    pub kind: String,
    /// `base_url` and `path`, for clients that want these.
    pub url: String,
    /// Where the client believes its API to be.
    pub base_url: String,
    /// What is below the base URL.
    pub path: String,
    /// Sent as `Authorization: Bearer TOKEN`.
    pub token: String,
    /// Such as `GET`.
    pub method: String,
    /// Further header fields.
    pub headers: Vec<(String, String)>,
    /// Sent as JSON.
    pub body: Option<Json>,
    /// How long the client should wait for the next byte.
    pub timeout: Duration,
    /// How often it should retry at most.
    pub retries: u64,
    /// Of a stream: after how many pieces of text to cancel it.
    pub cancel_after: Option<u64>,
}

/// The judgement on a client that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Judgement {
    /// The name of the situation.
    pub name: String,
    /// The group of the situation.
    pub group: String,
    /// `passed` or `not judged`.
    pub verdict: String,
    /// Why.
    pub text: String,
}

type Client = Arc<dyn Fn(&ExamCall) -> Json + Send + Sync>;

impl Situation {
    /// The name of the situation.
    pub fn name(&self) -> &str {
        self.about["name"].as_str().unwrap_or_default()
    }

    /// What the catalogue says: `name`, `group`, `kind`, `happens`, `correct`, `source`, `legitimate`...
    pub fn about(&self) -> &Json {
        &self.about
    }

    /// Lets a client make the calls of the situation, see [`Gateway::exam`].
    ///
    /// [`Error::NotVerified`] has the evidence if the client failed. One that does not return in time is judged for it,
    /// and its thread is left alone.
    pub fn take<C>(&self, client: C) -> Result<Judgement, Error>
    where
        C: Fn(&ExamCall) -> Json + Send + Sync + 'static,
    {
        let client: Client = Arc::new(client);
        self.taken(&client).and_then(|judged| self.judgement(&judged))
    }

    /// Lets the client make the calls, and returns the verdict of the control plane.
    fn taken(&self, client: &Client) -> Result<Json, Error> {
        let path = format!("/exam/{}", encoded(self.name()));
        let examination = self.gateway.admin("POST", &path, ())?;
        let reports = reports(&examination, client)?;
        let id = encoded(examination["id"].as_str().unwrap_or_default());
        self.gateway.admin("POST", &format!("{path}/{id}"), json!({"reports": reports}))
    }

    fn judgement(&self, judged: &Json) -> Result<Judgement, Error> {
        let text = |member: &Json| member.as_str().unwrap_or_default().to_string();
        if judged["verdict"] == "failed" {
            return Err(Error::NotVerified(format!("{}: {}", self.name(), text(&judged["explanation"]))));
        }
        Ok(Judgement {
            name: self.name().to_string(),
            group: text(&self.about["group"]),
            verdict: text(&judged["verdict"]),
            text: text(&judged["text"]),
        })
    }
}

impl fmt::Debug for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Situation").field(&self.name()).finish()
    }
}

impl ExamCall {
    fn read(call: &Json) -> ExamCall {
        let text = |name: &str| call[name].as_str().unwrap_or_default().to_string();
        let header =
            |(name, value): &(String, Json)| (name.clone(), value.as_str().unwrap_or_default().to_string());
        ExamCall {
            id: text("id"),
            kind: text("kind"),
            url: text("url"),
            base_url: text("base_url"),
            path: text("path"),
            token: text("token"),
            method: text("method"),
            headers: call["headers"].as_object().iter().map(header).collect(),
            body: Some(call["body"].clone()).filter(|body| !body.is_null()),
            timeout: seconds(&call["timeout"]),
            retries: call["retries"].as_u64().unwrap_or_default(),
            cancel_after: call["cancel_after"].as_u64(),
        }
    }
}

/// Without the token.
impl fmt::Debug for ExamCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExamCall").field("id", &self.id).field("url", &self.url).finish_non_exhaustive()
    }
}

/// Examines a client on the gateway that all tests of this process share, see [`Gateway::exam`].
pub fn exam<C>(only: &[&str], client: C) -> Result<Vec<Judgement>, Error>
where
    C: Fn(&ExamCall) -> Json + Send + Sync + 'static,
{
    Gateway::shared()?.exam(only, client)
}

/// Takes the situations in a few threads.
fn examined(situations: &[Situation], client: Client) -> Result<Vec<Judgement>, Error> {
    let next = AtomicUsize::new(0);
    let taken = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..EXAMS.min(situations.len()) {
            scope.spawn(|| {
                while let Some(situation) = situations.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = panic::catch_unwind(AssertUnwindSafe(|| situation.taken(&client)));
                    if !matches!(done, Ok(Ok(_))) {
                        next.store(situations.len(), Ordering::Relaxed); // the others are in vain
                    }
                    locked(&taken).push((situation, done));
                }
            });
        }
    });
    let mut judged = Vec::new();
    for (situation, done) in taken.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        judged.push((situation, done.unwrap_or_else(|panic| panic::resume_unwind(panic))?));
    }
    let place = |one: &Situation| situations.iter().position(|other| other.name() == one.name());
    judged.sort_by_key(|(situation, _)| place(situation));
    let (mut passed, mut table, mut evidence, mut failed) = (Vec::new(), String::new(), String::new(), 0);
    for (situation, judged) in &judged {
        let (verdict, text) = (&judged["verdict"], judged["text"].as_str().unwrap_or_default());
        let text = if *verdict == "passed" { "" } else { text };
        let verdict = verdict.as_str().unwrap_or_default();
        let line = format!("{:28} {verdict:10} {text}", situation.name());
        println!("{}", line.trim_end());
        match situation.judgement(judged) {
            Ok(judgement) => passed.push(judgement),
            Err(error) => {
                failed += 1;
                let _ = writeln!(table, "{line}");
                let _ = write!(evidence, "\n\n{error}");
            }
        }
    }
    if failed == 0 {
        return Ok(passed);
    }
    let text = format!("{failed} of {} situations failed:\n{}{evidence}", judged.len(), table.trim_end());
    Err(Error::NotVerified(text))
}

/// Lets the client make the calls of an examination, and returns its reports in their order.
fn reports(examination: &Json, client: &Client) -> Result<Vec<Json>, Error> {
    let (calls, at_once) = (examination["calls"].as_array(), examination["at_once"] == true);
    let (stagger, patience) = (seconds(&examination["stagger"]), seconds(&examination["deadline"]));
    let mut reports = vec![json!({"outcome": "none"}); calls.len()];
    let (sender, came) = mpsc::channel();
    let (begin, mut count) = (Instant::now(), 0);
    for (at, call) in calls.iter().enumerate() {
        if at_once {
            thread::sleep((begin + stagger * at as u32).saturating_duration_since(Instant::now()));
        }
        let (client, sender, call) = (client.clone(), sender.clone(), ExamCall::read(call));
        let name = call.id.clone(); // is in the message of a panic
        let make = move || {
            let report = panic::catch_unwind(AssertUnwindSafe(|| client(&call)));
            let _ = sender.send((at, report)); // fails if it comes too late
        };
        if let Err(error) = thread::Builder::new().name(name).spawn(make) {
            return Err(Error::GatewayFailed(format!("cannot start a thread: {error}")));
        }
        if at_once && at + 1 < calls.len() {
            continue;
        }
        let deadline = Instant::now() + patience;
        while count <= at {
            match came.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((at, Ok(report))) => {
                    reports[at] = report;
                    count += 1;
                }
                Ok((_, Err(panic))) => panic::resume_unwind(panic),
                Err(_) => return Ok(reports),
            }
        }
    }
    Ok(reports)
}

fn seconds(number: &Json) -> Duration {
    Duration::try_from_secs_f64(number.as_f64().unwrap_or_default()).unwrap_or_default()
}

// --------------------------------------------------------------------------------------------- the documents

/// What can be a JSON document: [`Json`], its text, or `()` for none.
pub trait Document {
    /// Returns the document, if there is one.
    fn read(self) -> Result<Option<Json>, Error>;
}

/// What can be a request pattern: `"METHOD alias/path"`, `"METHOD /path"`, WireMock's JSON, or `()` for all requests.
///
/// A path with `?` is the whole URL with its query; a path with `{` is a template, such as `v1/charges/{id}`.
pub trait Pattern {
    /// Returns the pattern in WireMock's JSON.
    fn pattern(self) -> Result<Json, Error>;
}

/// What [`Sandbox::verify`] expects: a number, a range, a document, or `()` for one request or more.
pub trait Expected {
    /// Returns the expectation as a document.
    fn expected(self) -> Result<Json, Error>;
}

/// Returns a request pattern with `conditions`, further members in WireMock's JSON: `headers`, `bodyPatterns`...
///
/// The members of `conditions` are added to the method and the path of `request`.
pub fn pattern(request: &str, conditions: Json) -> Json {
    match (request.pattern(), conditions) {
        (Ok(Json::Object(mut members)), Json::Object(conditions)) => {
            members.extend(conditions);
            Json::Object(members)
        }
        (Ok(pattern), Json::Null) => pattern,
        // What is wrong is said when the pattern is used.
        (Err(_), _) => Json::from(request),
        (_, wrong) => wrong,
    }
}

impl Document for () {
    fn read(self) -> Result<Option<Json>, Error> {
        Ok(None)
    }
}

impl Document for &str {
    fn read(self) -> Result<Option<Json>, Error> {
        Json::parse(self).map(Some)
    }
}

impl Document for Json {
    fn read(self) -> Result<Option<Json>, Error> {
        Ok(Some(self))
    }
}

impl Pattern for () {
    fn pattern(self) -> Result<Json, Error> {
        Ok(json!({}))
    }
}

impl Pattern for &str {
    fn pattern(self) -> Result<Json, Error> {
        if self.trim_start().starts_with('{') {
            return Json::parse(self);
        }
        let (method, path) = method_and_path(self)?;
        let method = method.to_uppercase();
        let member = match &path {
            path if path.contains('?') => "url",
            path if path.contains('{') => "urlPathTemplate",
            _ => "urlPath",
        };
        Ok(json!({"method": method, (member): path}))
    }
}

impl Pattern for Json {
    fn pattern(self) -> Result<Json, Error> {
        match self {
            Json::String(request) => request.as_str().pattern(),
            pattern => Ok(pattern),
        }
    }
}

impl Expected for () {
    fn expected(self) -> Result<Json, Error> {
        Ok(json!({}))
    }
}

macro_rules! counts {
    ($($type:ty)*) => {$(
        impl Expected for $type {
            fn expected(self) -> Result<Json, Error> {
                Ok(json!({"times": self}))
            }
        }
    )*};
}

counts!(i32 i64 u16 u32 u64 usize);

impl<T: Into<Json>> Expected for RangeFrom<T> {
    fn expected(self) -> Result<Json, Error> {
        Ok(json!({"atLeast": self.start}))
    }
}

impl<T: Into<Json>> Expected for RangeInclusive<T> {
    fn expected(self) -> Result<Json, Error> {
        let (start, end) = self.into_inner();
        Ok(json!({"atLeast": start, "atMost": end}))
    }
}

impl<T: Into<Json>> Expected for RangeToInclusive<T> {
    fn expected(self) -> Result<Json, Error> {
        Ok(json!({"atMost": self.end}))
    }
}

impl Expected for &str {
    fn expected(self) -> Result<Json, Error> {
        Json::parse(self)
    }
}

impl Expected for Json {
    fn expected(self) -> Result<Json, Error> {
        Ok(self)
    }
}

/// Owned and borrowed forms do what the two of them do that are written out.
macro_rules! forms {
    ($($trait:ident $method:ident -> $result:ty;)*) => {$(
        impl $trait for String {
            fn $method(self) -> Result<$result, Error> {
                self.as_str().$method()
            }
        }
        impl $trait for &String {
            fn $method(self) -> Result<$result, Error> {
                self.as_str().$method()
            }
        }
        impl $trait for &Json {
            fn $method(self) -> Result<$result, Error> {
                self.clone().$method()
            }
        }
    )*};
}

forms! {
    Document read -> Option<Json>;
    Pattern pattern -> Json;
    Expected expected -> Json;
}

fn method_and_path(request: &str) -> Result<(&str, String), Error> {
    match request.trim().split_once(' ') {
        Some((method, path)) if !path.trim().is_empty() => match path.trim() {
            path if path.starts_with('/') => Ok((method, path.to_string())),
            path => Ok((method, format!("{PROXY}{path}"))),
        },
        _ => Err(Error::Malformed(format!(
            "{request:?} is not a method and a path, such as \"GET weather/current\""
        ))),
    }
}

fn members(document: Json) -> Result<Vec<(String, Json)>, Error> {
    match document {
        Json::Object(members) => Ok(members),
        Json::Null => Ok(Vec::new()),
        other => Err(Error::Malformed(format!("expected an object, not {}", shortened(other.encoded()?)))),
    }
}

/// Returns the stub mapping for a request and a response with the members of `Sandbox::stub`.
fn mapping(request: Json, response: Json) -> Result<Json, Error> {
    let mut mapping = vec![("request".to_string(), request)];
    let mut definition = Vec::new();
    let mut is_json = false;
    for (name, value) in members(response)? {
        match name.as_str() {
            "json" => {
                is_json = true;
                definition.push(("jsonBody".to_string(), value));
            }
            "delay" => match value.as_f64() {
                Some(seconds) => {
                    let milliseconds = (seconds * 1000.0).round();
                    let text = format!("{milliseconds:.0}");
                    definition.push(("fixedDelayMilliseconds".to_string(), Json::Number(Number(text))));
                }
                None => {
                    return Err(Error::Malformed(format!(
                        "delay: expected a number of seconds, not {}",
                        value.encoded()?
                    )))
                }
            },
            name if name == "response" || OF_MAPPING.contains(&name) => {
                mapping.push((name.to_string(), value))
            }
            _ => definition.push((name, value)),
        }
    }
    if is_json {
        add_content_type(&mut definition);
    }
    if !definition.is_empty() || !mapping.iter().any(|(name, _)| name == "response") {
        mapping.push(("response".to_string(), Json::Object(definition)));
    }
    Ok(Json::Object(mapping))
}

fn add_content_type(definition: &mut Vec<(String, Json)>) {
    let content_type = ("Content-Type".to_string(), Json::from("application/json"));
    match definition.iter_mut().find(|(name, _)| name == "headers") {
        Some((_, Json::Object(headers))) => {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                headers.push(content_type);
            }
        }
        Some(_) => (), // the control plane says what is wrong
        None => definition.push(("headers".to_string(), Json::Object(vec![content_type]))),
    }
}

/// Returns the toxic of this kind with the members of `Sandbox::toxic`.
fn toxic(kind: &str, document: Json) -> Result<Json, Error> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let mut toxic = vec![("type".to_string(), Json::from(kind))];
    let mut attributes = Vec::new();
    for (name, value) in members(document)? {
        match name.as_str() {
            "request" => toxic.push((name, value.pattern()?)),
            name if OF_TOXIC.contains(&name) => toxic.push((name.to_string(), value)),
            _ => attributes.push((name, value)),
        }
    }
    if !toxic.iter().any(|(name, _)| name == "name") {
        let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        toxic.push(("name".to_string(), Json::from(format!("{kind}_{number}"))));
    }
    if !attributes.is_empty() || !toxic.iter().any(|(name, _)| name == "attributes") {
        toxic.push(("attributes".to_string(), Json::Object(attributes)));
    }
    Ok(Json::Object(toxic))
}

// ------------------------------------------------------------------------------------------------ the errors

/// Why a call failed. Shown, also by `unwrap`, it is a text for people.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// The control plane refused a request; the text is its own and names the invalid member.
    Refused {
        /// The status of the answer.
        status: u16,
        /// The text of the control plane.
        text: String,
        /// The request that was refused: method, path and document.
        request: String,
    },
    /// A verification failed; the text says what was expected and what came instead.
    NotVerified(String),
    /// The server did not start, or ended; the text has its output.
    GatewayFailed(String),
    /// There was no answer, or none that is HTTP.
    Unreachable(String),
    /// A document, a request or an answer is not what it has to be.
    Malformed(String),
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused { status, text, request } => {
                write!(f, "{text}\n  refused with {status}: {request}")
            }
            Error::NotVerified(text)
            | Error::GatewayFailed(text)
            | Error::Unreachable(text)
            | Error::Malformed(text) => f.write_str(text),
        }
    }
}

/// As Display, because `unwrap` and tests that return errors show this form.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

// -------------------------------------------------------------------------------------------------- HTTP/1.1

/// The answer to [`call`] or [`Sandbox::call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// The body, without its transfer coding.
    pub body: Vec<u8>,
    fields: Vec<(String, String)>,
}

impl Answer {
    /// The value of the header field `name`, in any case; of the first, if there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The values of all header fields with this name, in any case.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let named = self.fields.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Json, Error> {
        match std::str::from_utf8(&self.body) {
            Ok(text) => Json::parse(text),
            Err(error) => Err(Error::Malformed(format!("the answer is not UTF-8: {error}"))),
        }
    }
}

/// Calls `url` with a bearer token and a JSON body, on a connection of its own. An empty `body` is none.
///
/// This is enough for examples and the first test; a test of a client uses the client.
pub fn call(method: &str, url: &str, token: &str, body: &str) -> Result<Answer, Error> {
    let path = url.find("://").and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash));
    let (base, target) = url.split_at(path.unwrap_or(url.len()));
    let (host, addresses) = resolved(base)?;
    let target = if target.is_empty() { "/" } else { target };
    let body = (!body.is_empty()).then_some(body);
    let request = Request { method, target, token: Some(token), body };
    exchange(&host, &addresses, &request, Instant::now() + CALL)
        .map_err(|error| unreachable(method, base, target, &error))
}

struct Request<'a> {
    method: &'a str,
    target: &'a str,
    token: Option<&'a str>,
    body: Option<&'a str>,
}

impl Request<'_> {
    fn bytes(&self, host: &str) -> io::Result<Vec<u8>> {
        let invalid = |text: &str| text.is_empty() || text.bytes().any(|byte| byte <= b' ' || byte == 127);
        for part in [Some(self.method), Some(self.target), self.token].into_iter().flatten() {
            if invalid(part) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "a blank in its method, path or token",
                ));
            }
        }
        let mut text =
            format!("{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", self.method, self.target);
        text.push_str("Accept: */*\r\nUser-Agent: oagw-mock-rust\r\n");
        if let Some(token) = self.token {
            let _ = write!(text, "Authorization: Bearer {token}\r\n");
        }
        if self.method == "DELETE" && self.target.starts_with(SECRETS) {
            text.push_str("If-Match: *\r\n"); // whatever its version is
        }
        let body = self.body.unwrap_or_default();
        if self.body.is_some() {
            text.push_str("Content-Type: application/json\r\n");
        }
        if self.body.is_some() || matches!(self.method, "POST" | "PUT" | "PATCH") {
            let _ = write!(text, "Content-Length: {}\r\n", body.len());
        }
        text.push_str("\r\n");
        text.push_str(body);
        Ok(text.into_bytes())
    }
}

/// A connection whose reads and writes end at the deadline.
struct Wire {
    stream: TcpStream,
    deadline: Instant,
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(left)
}

impl Wire {
    fn connect(addresses: &[SocketAddr], deadline: Instant) -> io::Result<Wire> {
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in addresses {
            match TcpStream::connect_timeout(address, left(deadline)?) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Wire { stream, deadline });
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

/// A socket says WouldBlock when its time-out is over.
fn timed(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        self.stream.read(buffer).map_err(timed)
    }
}

impl Write for Wire {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.deadline)?))?;
        self.stream.write(data).map_err(timed)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn exchange(
    host: &str,
    addresses: &[SocketAddr],
    request: &Request<'_>,
    deadline: Instant,
) -> io::Result<Answer> {
    let bytes = request.bytes(host)?;
    let mut wire = Wire::connect(addresses, deadline)?;
    let sent = wire.write_all(&bytes);
    // The server may answer before it has read a body that it refuses.
    match read_answer(&mut BufReader::new(wire), request.method) {
        Ok(answer) => Ok(answer),
        Err(error) => Err(sent.err().unwrap_or(error)),
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the answer was cut")
}

fn read_answer(input: &mut impl BufRead, method: &str) -> io::Result<Answer> {
    loop {
        let (status, fields) = read_head(input)?;
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let mut answer = Answer { status, body: Vec::new(), fields };
        if method == "HEAD" || matches!(status, 101 | 204 | 304) {
            return Ok(answer);
        }
        if let Some(coding) = answer.header("Transfer-Encoding") {
            if !coding.eq_ignore_ascii_case("chunked") {
                return Err(broken("an unknown transfer coding"));
            }
            answer.body = read_chunks(input)?;
        } else if let Some(length) = answer.header("Content-Length") {
            let length = length.parse().map_err(|_| broken("an invalid Content-Length"))?;
            read_exactly(input, length, &mut answer.body)?;
        } else {
            input.take(MAX_BODY as u64).read_to_end(&mut answer.body)?;
        }
        return Ok(answer);
    }
}

/// Reads a line without its end, of at most MAX_HEAD bytes.
fn read_line(input: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    input.take(MAX_HEAD as u64).read_until(b'\n', &mut line)?;
    match line.pop() {
        Some(b'\n') => (),
        Some(_) if line.len() + 1 >= MAX_HEAD => return Err(broken("a line is too long")),
        _ => return Err(cut()),
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn read_head(input: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    let first = read_line(input)?;
    let status = match first.strip_prefix("HTTP/1.") {
        Some(rest) => rest.get(2..5).and_then(|status| status.parse().ok()),
        None => None,
    };
    let status = status.ok_or_else(|| broken("not HTTP/1.1"))?;
    let (mut fields, mut size) = (Vec::new(), first.len());
    loop {
        let line = read_line(input)?;
        size += line.len();
        if line.is_empty() {
            return Ok((status, fields));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| broken("a header field without a colon"))?;
        fields.push((name.to_string(), value.trim().to_string()));
        if size > MAX_HEAD {
            return Err(broken("the head is too large"));
        }
    }
}

fn read_exactly(input: &mut impl BufRead, length: usize, body: &mut Vec<u8>) -> io::Result<()> {
    if body.len().saturating_add(length) > MAX_BODY {
        return Err(broken("the body is too large"));
    }
    match input.take(length as u64).read_to_end(body)? {
        size if size == length => Ok(()),
        _ => Err(cut()),
    }
}

fn read_chunks(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(input)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| broken("an invalid chunk size"))?;
        if size == 0 {
            while !read_line(input)?.is_empty() {} // trailers
            return Ok(body);
        }
        read_exactly(input, size, &mut body)?;
        if !read_line(input)?.is_empty() {
            return Err(broken("a chunk is longer than its size"));
        }
    }
}

// ------------------------------------------------------------------------------------------------------ JSON

/// A JSON value. [`json!`](crate::json) writes one, [`Json::parse`] reads one, and `to_string` gives its text.
///
/// `value["name"]` and `value[0]` are a member and an element, or null. A value can be compared with a text, a
/// number or a Boolean: `request["oagw"]["status"] == 200`. The order of members does not count.
#[derive(Clone, Debug, Default)]
pub enum Json {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, with the digits that it was read with.
    Number(Number),
    /// A text, without escapes.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, with its members in order.
    Object(Vec<(String, Json)>),
}

/// A number of JSON, exactly as written.
#[derive(Clone, Debug)]
pub struct Number(String);

impl Json {
    /// Reads JSON text. Values may be nested up to 128 deep.
    pub fn parse(text: &str) -> Result<Json, Error> {
        let mut parser = Parser { text, at: 0 };
        match parser.document() {
            Ok(value) => Ok(value),
            Err(why) => {
                let before = &text.as_bytes()[..parser.at.min(text.len())];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
                Err(Error::Malformed(format!("invalid JSON in line {line}, column {column}: {why}")))
            }
        }
    }

    /// The member of an object; the last, if there are several of this name.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => {
                members.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The Boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if this is a whole one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Json::Number(Number(text)) => text.parse().ok(),
            _ => None,
        }
    }

    /// The number, if this is a whole one that fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Json::Number(Number(text)) => text.parse().ok(),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Json::Number(Number(text)) => text.parse().ok(),
            _ => None,
        }
    }

    /// The elements of an array; none if this is something else.
    pub fn as_array(&self) -> &[Json] {
        match self {
            Json::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The members of an object; none if this is something else.
    pub fn as_object(&self) -> &[(String, Json)] {
        match self {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// The text; an error if the value is nested too deep for others to read it.
    fn encoded(&self) -> Result<String, Error> {
        let mut text = String::new();
        match self.write(&mut text, 0) {
            Ok(()) => Ok(text),
            Err(_) => Err(Error::Malformed(format!("JSON is nested more than {MAX_DEPTH} deep"))),
        }
    }

    fn write(&self, out: &mut impl fmt::Write, depth: usize) -> fmt::Result {
        match self {
            Json::Null => out.write_str("null"),
            Json::Bool(value) => write!(out, "{value}"),
            Json::Number(Number(text)) => out.write_str(text),
            Json::String(text) => write_string(out, text),
            Json::Array(_) | Json::Object(_) if depth == MAX_DEPTH => Err(fmt::Error),
            Json::Array(elements) => {
                out.write_char('[')?;
                for (at, element) in elements.iter().enumerate() {
                    out.write_str(if at > 0 { ", " } else { "" })?;
                    element.write(out, depth + 1)?;
                }
                out.write_char(']')
            }
            Json::Object(members) => {
                out.write_char('{')?;
                for (at, (name, value)) in members.iter().enumerate() {
                    out.write_str(if at > 0 { ", " } else { "" })?;
                    write_string(out, name)?;
                    out.write_str(": ")?;
                    value.write(out, depth + 1)?;
                }
                out.write_char('}')
            }
        }
    }
}

fn write_string(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            control if control < ' ' => write!(out, "\\u{:04x}", control as u32)?,
            other => out.write_char(other)?,
        }
    }
    out.write_char('"')
}

/// The text on one line. Panics for a value that is nested more than 128 deep.
impl Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl std::str::FromStr for Json {
    type Err = Error;

    fn from_str(text: &str) -> Result<Json, Error> {
        Json::parse(text)
    }
}

impl Index<&str> for Json {
    type Output = Json;

    /// The member, or null.
    fn index(&self, name: &str) -> &Json {
        self.get(name).unwrap_or(&Json::Null)
    }
}

impl Index<usize> for Json {
    type Output = Json;

    /// The element, or null.
    fn index(&self, at: usize) -> &Json {
        self.as_array().get(at).unwrap_or(&Json::Null)
    }
}

impl PartialEq for Number {
    /// Numbers are equal by value: `1`, `1.0` and `1e0` are.
    fn eq(&self, other: &Number) -> bool {
        if self.0 == other.0 {
            return true;
        }
        match (self.0.parse::<i128>(), other.0.parse::<i128>()) {
            (Ok(one), Ok(two)) => one == two,
            _ => self.0.parse::<f64>().ok() == other.0.parse::<f64>().ok(),
        }
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Null, Json::Null) => true,
            (Json::Bool(one), Json::Bool(two)) => one == two,
            (Json::Number(one), Json::Number(two)) => one == two,
            (Json::String(one), Json::String(two)) => one == two,
            (Json::Array(one), Json::Array(two)) => one == two,
            (Json::Object(one), Json::Object(two)) => {
                one.len() == two.len() && one.iter().all(|(name, value)| other.get(name) == Some(value))
            }
            _ => false,
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::String(text.to_string())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::String(text)
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Json {
        Json::String(text.clone())
    }
}

impl From<&Json> for Json {
    fn from(value: &Json) -> Json {
        value.clone()
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl From<f64> for Json {
    /// Infinity and NaN, which JSON does not have, are null.
    fn from(value: f64) -> Json {
        if value.is_finite() {
            Json::Number(Number(format!("{value:?}")))
        } else {
            Json::Null
        }
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Json {
        value.map_or(Json::Null, Into::into)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(elements: Vec<T>) -> Json {
        Json::Array(elements.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Json> + Clone> From<&[T]> for Json {
    fn from(elements: &[T]) -> Json {
        Json::from(elements.to_vec())
    }
}

impl<T: Into<Json>, const N: usize> From<[T; N]> for Json {
    fn from(elements: [T; N]) -> Json {
        Json::Array(elements.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<String>, T: Into<Json>> FromIterator<(K, T)> for Json {
    /// Collects the members of an object.
    fn from_iter<I: IntoIterator<Item = (K, T)>>(members: I) -> Json {
        Json::Object(members.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

macro_rules! whole_numbers {
    ($($type:ty)*) => {$(
        impl From<$type> for Json {
            fn from(value: $type) -> Json {
                Json::Number(Number(value.to_string()))
            }
        }
    )*};
}

whole_numbers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

macro_rules! comparable {
    ($($type:ty)*) => {$(
        impl PartialEq<$type> for Json {
            fn eq(&self, other: &$type) -> bool {
                let other = Json::from(*other);
                *self == other
            }
        }
    )*};
}

comparable!(bool i32 i64 u16 u32 u64 usize f64 &str);

impl PartialEq<str> for Json {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<String> for Json {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == Some(other)
    }
}

/// Writes a [`Json`] value as one writes JSON, with expressions as values.
///
/// ```
/// use oagw_mock::{json, Json};
///
/// let (name, ids) = ("ch_1", vec![1, 2]);
/// let charge = json!({"id": name, "ids": ids, "paid": true, "refund": null, "card": {"last4": "4242"}});
/// assert_eq!(charge["card"]["last4"], "4242");
/// assert_eq!(charge["ids"][1], 2);
/// assert_eq!(charge["card"], Json::parse(r#"{"last4": "42\u0034\u0032"}"#).unwrap());
/// ```
///
/// The name of a member is a literal, or an expression in parentheses.
#[macro_export]
macro_rules! json {
    (null) => { $crate::Json::Null };
    ([]) => { $crate::Json::Array(::std::vec::Vec::new()) };
    ([ $($inside:tt)+ ]) => {{
        let mut elements = ::std::vec::Vec::<$crate::Json>::new();
        $crate::json!(@elements elements $($inside)+);
        $crate::Json::Array(elements)
    }};
    ({}) => { $crate::Json::Object(::std::vec::Vec::new()) };
    ({ $($inside:tt)+ }) => {{
        let mut members = ::std::vec::Vec::<(::std::string::String, $crate::Json)>::new();
        $crate::json!(@members members $($inside)+);
        $crate::Json::Object(members)
    }};

    (@elements $list:ident) => {};
    (@elements $list:ident null $(, $($rest:tt)*)?) => {
        $list.push($crate::Json::Null);
        $crate::json!(@elements $list $($($rest)*)?);
    };
    (@elements $list:ident [ $($inside:tt)* ] $(, $($rest:tt)*)?) => {
        $list.push($crate::json!([ $($inside)* ]));
        $crate::json!(@elements $list $($($rest)*)?);
    };
    (@elements $list:ident { $($inside:tt)* } $(, $($rest:tt)*)?) => {
        $list.push($crate::json!({ $($inside)* }));
        $crate::json!(@elements $list $($($rest)*)?);
    };
    (@elements $list:ident $value:expr $(, $($rest:tt)*)?) => {
        $list.push(::std::convert::Into::<$crate::Json>::into($value));
        $crate::json!(@elements $list $($($rest)*)?);
    };

    (@members $list:ident) => {};
    (@members $list:ident $name:tt : null $(, $($rest:tt)*)?) => {
        $list.push((::std::convert::Into::into($name), $crate::Json::Null));
        $crate::json!(@members $list $($($rest)*)?);
    };
    (@members $list:ident $name:tt : [ $($inside:tt)* ] $(, $($rest:tt)*)?) => {
        $list.push((::std::convert::Into::into($name), $crate::json!([ $($inside)* ])));
        $crate::json!(@members $list $($($rest)*)?);
    };
    (@members $list:ident $name:tt : { $($inside:tt)* } $(, $($rest:tt)*)?) => {
        $list.push((::std::convert::Into::into($name), $crate::json!({ $($inside)* })));
        $crate::json!(@members $list $($($rest)*)?);
    };
    (@members $list:ident $name:tt : $value:expr $(, $($rest:tt)*)?) => {
        $list.push((::std::convert::Into::into($name), ::std::convert::Into::<$crate::Json>::into($value)));
        $crate::json!(@members $list $($($rest)*)?);
    };

    ($value:expr) => { ::std::convert::Into::<$crate::Json>::into($value) };
}

/// Reads JSON strictly as RFC 8259 has it. What is wrong is at the byte `at`.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Result<Json, &'static str> {
        self.blanks();
        let value = self.value(0)?;
        self.blanks();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err("more text after the value"),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Json, &'static str> {
        match self.peek() {
            Some(b'"') => self.string().map(Json::String),
            Some(b'{' | b'[') if depth == MAX_DEPTH => Err("nested more than 128 deep"),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => {
                for (word, value) in [("null", Json::Null), ("true", true.into()), ("false", false.into())] {
                    if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err("expected a value")
            }
            None => Err("the text ends before the value"),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, &'static str> {
        self.at += 1;
        let mut elements = Vec::new();
        self.blanks();
        if self.takes(b']') {
            return Ok(Json::Array(elements));
        }
        loop {
            self.blanks();
            elements.push(self.value(depth)?);
            self.blanks();
            if self.takes(b']') {
                return Ok(Json::Array(elements));
            }
            if !self.takes(b',') {
                return Err("expected a comma or ]");
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, &'static str> {
        self.at += 1;
        let mut members = Vec::new();
        self.blanks();
        if self.takes(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err("expected the name of a member");
            }
            let name = self.string()?;
            self.blanks();
            if !self.takes(b':') {
                return Err("expected a colon");
            }
            self.blanks();
            members.push((name, self.value(depth)?));
            self.blanks();
            if self.takes(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.takes(b',') {
                return Err("expected a comma or }");
            }
        }
    }

    fn digits(&mut self) -> Result<(), &'static str> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err("expected a digit")
        } else {
            Ok(())
        }
    }

    fn number(&mut self) -> Result<Json, &'static str> {
        let start = self.at;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _ = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        Ok(Json::Number(Number(self.text[start..self.at].to_string())))
    }

    fn string(&mut self) -> Result<String, &'static str> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            text.push_str(&self.text[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err("a control character in a text must be escaped"),
                None => return Err("the text ends before the closing quotation mark"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, &'static str> {
        let kind = self.text.as_bytes().get(self.at + 1);
        let character = match kind {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err("an unknown escape"),
        };
        self.at += 2;
        Ok(character)
    }

    fn unicode(&mut self) -> Result<char, &'static str> {
        let first = self.code_unit(self.at)?;
        if !(0xd800..0xe000).contains(&first) {
            self.at += 6;
            return char::from_u32(first).ok_or("an invalid escape");
        }
        let second = self.code_unit(self.at + 6).unwrap_or_default();
        if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
            return Err("half of a surrogate pair, which is no character");
        }
        self.at += 12;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or("an invalid escape")
    }

    fn code_unit(&self, at: usize) -> Result<u32, &'static str> {
        match self.text.as_bytes().get(at..at + 6) {
            Some([b'\\', b'u', digits @ ..]) if digits.iter().all(u8::is_ascii_hexdigit) => {
                let digits = digits.iter().map(|digit| char::from(*digit).to_digit(16).unwrap_or_default());
                Ok(digits.fold(0, |number, digit| number * 16 + digit))
            }
            _ => Err("expected four hexadecimal digits"),
        }
    }
}
