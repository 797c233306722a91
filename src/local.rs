//! The emulator behind `paystack local` and `--local`: LocalStack as a plain process, in a Python environment of its own.
//!
//! Knows nothing of templates or stacks. Prints nothing: what happens is told as [`Progress`]. What it needs of the
//! user's environment is handed in as [`LocalSettings`].

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::children::{Children, Counted};
use crate::digest::hex_digest_of;
use crate::pythons;

/// The port that the emulator listens on unless another one is asked for.
pub const DEFAULT_PORT: u16 = 4566;

/// The Pythons that LocalStack and its locked packages run on, best first.
const PYTHONS: [Version; 2] = [Version(3, 13), Version(3, 12)];
/// The Python that the functions are written for.
const FUNCTION_PYTHON: Version = Version(3, 11);

const POLL_EVERY: Duration = Duration::from_millis(200);
const READY_WITHIN: Duration = Duration::from_secs(120);
const STOPPED_WITHIN: Duration = Duration::from_secs(20);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

const REQUIREMENTS: &str = include_str!("../tests/localstack/requirements.txt");
/// Packages with compiled parts that a layer has for another machine; here functions find these in their place.
const FUNCTION_PACKAGES: [&str; 2] = ["charset-normalizer", "rpds-py"];
const HOST: &str = "localstack_host.py";
const HOST_FILES: [(&str, &str); 18] = [
    (HOST, include_str!("../tests/localstack/localstack_host.py")),
    ("gaps/__init__.py", include_str!("../tests/localstack/gaps/__init__.py")),
    ("gaps/apigateway.py", include_str!("../tests/localstack/gaps/apigateway.py")),
    ("gaps/apigateway_around.py", include_str!("../tests/localstack/gaps/apigateway_around.py")),
    ("gaps/cloudwatch.py", include_str!("../tests/localstack/gaps/cloudwatch.py")),
    ("gaps/code_signing.py", include_str!("../tests/localstack/gaps/code_signing.py")),
    ("gaps/dynamodb.py", include_str!("../tests/localstack/gaps/dynamodb.py")),
    ("gaps/function_worker.py", include_str!("../tests/localstack/gaps/function_worker.py")),
    ("gaps/functions.py", include_str!("../tests/localstack/gaps/functions.py")),
    ("gaps/iam.py", include_str!("../tests/localstack/gaps/iam.py")),
    ("gaps/lifetime.py", include_str!("../tests/localstack/gaps/lifetime.py")),
    ("gaps/logs.py", include_str!("../tests/localstack/gaps/logs.py")),
    ("gaps/logs_around.py", include_str!("../tests/localstack/gaps/logs_around.py")),
    ("gaps/loopback.py", include_str!("../tests/localstack/gaps/loopback.py")),
    ("gaps/messaging.py", include_str!("../tests/localstack/gaps/messaging.py")),
    ("gaps/metrics.py", include_str!("../tests/localstack/gaps/metrics.py")),
    ("gaps/tagging.py", include_str!("../tests/localstack/gaps/tagging.py")),
    ("gaps/waf.py", include_str!("../tests/localstack/gaps/waf.py")),
];

/// What this module takes from the environment of its user.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// Where Python environments, logs and notes about running emulators are kept.
    pub cache: PathBuf,
    /// Directories that programs are looked for in.
    pub path: OsString,
    /// Where pyenv keeps the Pythons that it installed.
    pub pyenv_root: PathBuf,
    /// How waiting passes time.
    pub sleep: fn(Duration),
    /// Where what runs during an installation or a start is counted.
    pub children: Children,
}

impl LocalSettings {
    /// Reads `XDG_CACHE_HOME`, `PYENV_ROOT`, `PATH` and `HOME` through `variable`.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
        sleep: fn(Duration),
    ) -> Result<Self, LocalError> {
        let directory = |name: &str, below_home: &str| {
            let given = variable(name).filter(|it| !it.is_empty()).map(PathBuf::from);
            given.or_else(|| variable("HOME").map(|home| Path::new(&home).join(below_home))).ok_or(LocalError::NoHome)
        };
        Ok(Self {
            cache: directory("XDG_CACHE_HOME", ".cache")?.join("paystack"),
            path: variable("PATH").unwrap_or_default(),
            pyenv_root: directory("PYENV_ROOT", ".pyenv")?,
            sleep,
            children: Children::default(),
        })
    }
}

/// One emulator among those that may run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance<'a> {
    /// What it is remembered under.
    pub name: &'a str,
    pub port: Port,
    /// How long it stays up without being called; for ever if `None`.
    pub idle: Option<Duration>,
}

impl Instance<'_> {
    /// The emulator of `paystack local`, which stays until it is stopped.
    pub const fn of_user(port: u16) -> Self {
        Self { name: "user", port: Port::Given(port), idle: None }
    }
}

/// Where an emulator listens, on the loopback interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    Given(u16),
    /// Whichever is free when it starts.
    Free,
}

/// An emulator that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub port: u16,
    pub pid: u32,
    pub log: PathBuf,
    fingerprint: String,
}

impl Running {
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What points an AWS client at this emulator. The access key is the number of an account, which need not exist yet.
    pub fn variables(&self, account: &str) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", account.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            // What the AWS command line and boto3 read.
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ]
    }
}

/// An emulator on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The Python that it runs under, which has boto3 too.
    pub python: PathBuf,
    /// The Python that runs functions.
    pub function_python: PathBuf,
    files: PathBuf,
}

/// What starting or stopping is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Another process starts an emulator or installs its packages.
    WaitingForAnother,
    /// The packages are fetched, which happens once for each version of them.
    Installing {
        python: PathBuf,
        directory: PathBuf,
    },
    Starting {
        port: u16,
    },
    Stopping {
        port: u16,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WaitingForAnother => write!(f, "waiting for another paystack that starts the emulator"),
            Self::Installing { python, directory } => {
                write!(f, "installing LocalStack once, 500 MB, with {} into {}", python.display(), directory.display())
            }
            Self::Starting { port } => write!(f, "starting the emulator on port {port}, waiting for its health page"),
            Self::Stopping { port } => write!(f, "stopping the emulator on port {port}"),
        }
    }
}

/// Whether there was anything to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    Now(Running),
    Before,
}

#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error("neither `HOME` nor `XDG_CACHE_HOME` and `PYENV_ROOT` say where the emulator's files may go")]
    NoHome,
    #[error(
        "found no Python 3.12 or 3.13 for the emulator{}\ninstall one, for example with `uv python install 3.13` or \
         `pyenv install 3.13`, and start again",
        listed(tried)
    )]
    NoPython { tried: Vec<String> },
    #[error("failed to write the emulator's files at `{path}`")]
    Files {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to run `{program}`")]
    Run {
        program: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to install the emulator: `{command}` ended with {status}{}\nall it said is in `{}`", quoted(tail), log.display())]
    Install { command: String, status: std::process::ExitStatus, tail: String, log: PathBuf },
    #[error("port {port} is taken by another program\nstop that program, or choose another port with `--port`")]
    PortTaken { port: u16 },
    #[error("the emulator ended while it started, with {status}{}\nall it said is in `{}`", quoted(tail), log.display())]
    Ended { status: std::process::ExitStatus, tail: String, log: PathBuf },
    #[error("`{url}` did not answer within {} s of starting the emulator{}\nall it said is in `{}`", within.as_secs(), quoted(tail), log.display())]
    NotReady { url: String, within: Duration, tail: String, log: PathBuf },
    #[error("the emulator with process id {pid} did not leave port {port} within {} s\nend that process", within.as_secs())]
    NotStopped { port: u16, pid: u32, within: Duration },
}

/// Starts the emulator unless it runs already, installing it first where that has not been done.
///
/// One that another version of paystack left behind is stopped.
pub fn start(
    settings: &LocalSettings,
    instance: Instance<'_>,
    tell: &mut dyn FnMut(Progress),
) -> Result<Running, LocalError> {
    let _lock = lock_of(settings, tell)?;
    if let Some(running) = status(settings, instance) {
        if running.fingerprint == fingerprint() && instance.accepts(running.port) {
            return Ok(running);
        }
        end(settings, &running, tell)?;
    }
    let port = choose_port(instance.port)?;
    let installed = install_unlocked(settings, tell)?;
    let running = launch(settings, instance, port, &installed, tell)?;
    write(&note_of(settings, instance), serde_json::to_vec(&running).unwrap_or_default().as_slice())?;
    Ok(running)
}

/// Installs the emulator unless that has been done, without starting it.
pub fn install(settings: &LocalSettings, tell: &mut dyn FnMut(Progress)) -> Result<Installation, LocalError> {
    let _lock = lock_of(settings, tell)?;
    install_unlocked(settings, tell)
}

/// Stops the emulator and what it runs, and waits until its port is free.
pub fn stop(
    settings: &LocalSettings,
    instance: Instance<'_>,
    tell: &mut dyn FnMut(Progress),
) -> Result<Stopped, LocalError> {
    let Some(running) = status(settings, instance) else { return Ok(Stopped::Before) };
    end(settings, &running, tell)?;
    Ok(Stopped::Now(running))
}

/// The emulator, if it was started before and still answers.
pub fn status(settings: &LocalSettings, instance: Instance<'_>) -> Option<Running> {
    let noted: Running = serde_json::from_slice(&fs::read(note_of(settings, instance)).ok()?).ok()?;
    let name = health(noted.port)?;
    (name.pid == noted.pid && name.fingerprint == noted.fingerprint).then_some(noted)
}

impl Instance<'_> {
    fn accepts(&self, port: u16) -> bool {
        match self.port {
            Port::Given(given) => given == port,
            Port::Free => true,
        }
    }
}

fn note_of(settings: &LocalSettings, instance: Instance<'_>) -> PathBuf {
    settings.cache.join(format!("local-{}.json", instance.name))
}

fn choose_port(port: Port) -> Result<u16, LocalError> {
    let wanted = match port {
        Port::Given(port) => port,
        Port::Free => 0,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted));
    let taken = |_| LocalError::PortTaken { port: wanted };
    Ok(listener.and_then(|it| it.local_addr()).map_err(taken)?.port())
}

fn launch(
    settings: &LocalSettings,
    instance: Instance<'_>,
    port: u16,
    installed: &Installation,
    tell: &mut dyn FnMut(Progress),
) -> Result<Running, LocalError> {
    tell(Progress::Starting { port });
    let directory = settings.cache.join(format!("local-{}", instance.name));
    replace_directory(&directory)?;
    let log = directory.join("emulator.log");
    let mut command = Command::new(&installed.python);
    command.arg(installed.files.join(HOST)).args(["--port", &port.to_string(), "--fingerprint", &fingerprint()]);
    command.arg("--home").arg(&directory).arg("--function-python").arg(&installed.function_python);
    if let Some(idle) = instance.idle {
        command.args(["--idle-seconds", &idle.as_secs().to_string()]);
    }
    // A process group of its own: Ctrl-C in the terminal that started it is not meant for it.
    command.process_group(0).stdin(Stdio::null());
    let child = spawn_into(settings, &mut command, &log)?;
    wait_until_ready(settings, &child, port, &log)?;
    Ok(Running { port, pid: child.id(), log, fingerprint: fingerprint() })
}

fn wait_until_ready(settings: &LocalSettings, child: &Counted, port: u16, log: &Path) -> Result<(), LocalError> {
    for _ in 0..polls(READY_WITHIN) {
        if health(port).is_some_and(|it| it.pid == child.id()) {
            return Ok(());
        }
        if let Ok(Some(status)) = child.lock().try_wait() {
            return Err(LocalError::Ended { status, tail: tail_of(log), log: log.to_owned() });
        }
        (settings.sleep)(POLL_EVERY);
    }
    // Nobody would know of it any more: an emulator that is not ready is not left behind.
    let _ = child.lock().kill();
    let url = format!("http://127.0.0.1:{port}/_localstack/health");
    Err(LocalError::NotReady { url, within: READY_WITHIN, tail: tail_of(log), log: log.to_owned() })
}

fn end(settings: &LocalSettings, running: &Running, tell: &mut dyn FnMut(Progress)) -> Result<(), LocalError> {
    tell(Progress::Stopping { port: running.port });
    // It leaves before it has answered.
    let _ = request(running.port, "POST", r#"{"action": "kill"}"#);
    for _ in 0..polls(STOPPED_WITHIN) {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, running.port)).is_ok() {
            return Ok(());
        }
        (settings.sleep)(POLL_EVERY);
    }
    Err(LocalError::NotStopped { port: running.port, pid: running.pid, within: STOPPED_WITHIN })
}

fn polls(within: Duration) -> u128 {
    within.as_millis() / POLL_EVERY.as_millis()
}

/// What an emulator of ours adds to LocalStack's health page.
#[derive(Debug, PartialEq, Deserialize)]
struct Name {
    pid: u32,
    fingerprint: String,
}

fn health(port: u16) -> Option<Name> {
    #[derive(Deserialize)]
    struct Health {
        paystack: Name,
    }
    let answer = request(port, "GET", "").ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str::<Health>(body).ok().map(|it| it.paystack)
}

/// Asks the health page. HTTP 1.0, so that the answer is what comes until the connection closes.
fn request(port: u16, method: &str, body: &str) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    // In one piece: a server that answers after a part of it and closes would take its answer back.
    let request = format!(
        "{method} /_localstack/health HTTP/1.0\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Fetches the locked packages, once, and unpacks the emulator's own files.
fn install_unlocked(settings: &LocalSettings, tell: &mut dyn FnMut(Progress)) -> Result<Installation, LocalError> {
    let directory = settings.cache.join(format!("localstack-{}", hex_digest_of([REQUIREMENTS], 16)));
    // Only a finished installation has this file: a broken one is made anew.
    let finished = directory.join("finished");
    if !finished.exists() {
        replace_directory(&directory)?;
        install_packages(settings, &directory, tell)?;
        write(&finished, b"")?;
    }
    let files = directory.join(format!("host-{}", fingerprint()));
    for (name, text) in HOST_FILES {
        // An emulator that runs already may be reading them.
        if fs::read(files.join(name)).is_ok_and(|it| it == text.as_bytes()) {
            continue;
        }
        write(&files.join(name), text.as_bytes())?;
    }
    let python = pythons::inside(&directory.join("venv"));
    let function_python = Some(pythons::inside(&directory.join("functions"))).filter(|it| it.exists());
    Ok(Installation { function_python: function_python.unwrap_or_else(|| python.clone()), python, files })
}

fn install_packages(
    settings: &LocalSettings,
    directory: &Path,
    tell: &mut dyn FnMut(Progress),
) -> Result<(), LocalError> {
    let python = find_python(settings)?;
    tell(Progress::Installing { python: python.program().to_owned(), directory: directory.to_owned() });
    let log = directory.join("install.log");
    python.make_environment(settings, &directory.join("venv"), &log)?;
    install_locked(settings, directory, "venv", REQUIREMENTS, &log)?;
    // Without a Python of the functions' version they run under the emulator's own.
    if let Ok(python) = find_on(settings, &[FUNCTION_PYTHON]) {
        Python::Installed(python).make_environment(settings, &directory.join("functions"), &log)?;
        install_locked(settings, directory, "functions", &only(&FUNCTION_PACKAGES, REQUIREMENTS), &log)?;
    }
    Ok(())
}

fn install_locked(
    settings: &LocalSettings,
    directory: &Path,
    environment: &str,
    requirements: &str,
    log: &Path,
) -> Result<(), LocalError> {
    let locked = directory.join(format!("{environment}-requirements.txt"));
    write(&locked, requirements.as_bytes())?;
    let mut command = Command::new(pythons::inside(&directory.join(environment)));
    command.args([
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--no-deps",
        "--no-input",
        "--disable-pip-version-check",
    ]);
    command.arg("--requirement").arg(locked);
    run(settings, &mut command, log)
}

/// The lines of some packages in a list of locked requirements, where hashes are indented below their package.
fn only(packages: &[&str], requirements: &str) -> String {
    let mut wanted = false;
    let lines = requirements.lines().filter(|line| {
        if !line.starts_with(' ') {
            wanted = line.split_once("==").is_some_and(|(name, _)| packages.contains(&name));
        }
        wanted
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// A version of Python, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version(u32, u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Where the emulator's Python comes from.
#[derive(Debug, PartialEq, Eq)]
enum Python {
    Installed(PathBuf),
    /// None is installed, but uv can fetch one.
    Uv(PathBuf),
}

impl Python {
    fn program(&self) -> &Path {
        match self {
            Self::Installed(program) | Self::Uv(program) => program,
        }
    }

    fn make_environment(&self, settings: &LocalSettings, directory: &Path, log: &Path) -> Result<(), LocalError> {
        let mut command = Command::new(self.program());
        match self {
            Self::Installed(_) => command.args(["-m", "venv"]),
            Self::Uv(_) => command.args(["venv", "--seed", "--python", &PYTHONS[0].to_string()]),
        };
        run(settings, command.arg(directory), log)
    }
}

fn find_python(settings: &LocalSettings) -> Result<Python, LocalError> {
    let tried = match find_on(settings, &PYTHONS) {
        Ok(python) => return Ok(Python::Installed(python)),
        Err(tried) => tried,
    };
    let Some(uv) = pythons::on_path(&settings.path, "uv").into_iter().next() else {
        return Err(LocalError::NoPython { tried });
    };
    let found = Command::new(&uv).args(["python", "find", &PYTHONS[0].to_string()]).output();
    let installed = found.ok().filter(|it| it.status.success());
    let program = installed.map(|it| PathBuf::from(String::from_utf8_lossy(&it.stdout).trim().to_owned()));
    Ok(program.map_or(Python::Uv(uv), Python::Installed))
}

/// The first Python of one of these versions on the search path or among pyenv's, or what was tried in vain.
fn find_on(settings: &LocalSettings, versions: &[Version]) -> Result<PathBuf, Vec<String>> {
    let named = versions.iter().map(|it| format!("python{it}"));
    let on_path = named.chain(["python3".to_owned(), "python".to_owned()]);
    let on_path = on_path.flat_map(|name| pythons::on_path(&settings.path, &name));
    let of_pyenv = versions.iter().flat_map(|it| pythons::of_pyenv(&settings.pyenv_root, &it.to_string()));
    let mut tried = Vec::new();
    for program in on_path.chain(of_pyenv) {
        match version_of(&program) {
            Ok(version) if versions.contains(&version) => return Ok(program),
            Ok(version) => tried.push(format!("`{}` is {version}", program.display())),
            Err(why) => tried.push(format!("`{}` {why}", program.display())),
        }
    }
    Err(tried)
}

/// Asks a Python for its version. One that cannot make environments, or a shim with nothing behind it, does not count.
fn version_of(program: &Path) -> Result<Version, String> {
    let script = "import sys, venv, ensurepip; print(*sys.version_info[:2])";
    let output =
        Command::new(program).args(["-I", "-c", script]).output().map_err(|it| format!("does not run: {it}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(str::parse);
    match (output.status.success(), numbers.next(), numbers.next()) {
        (true, Some(Ok(major)), Some(Ok(minor))) => Ok(Version(major, minor)),
        _ => Err("cannot make environments".to_owned()),
    }
}

/// Runs a step of the installation to its end.
fn run(settings: &LocalSettings, command: &mut Command, log: &Path) -> Result<(), LocalError> {
    let child = spawn_into(settings, command.stdin(Stdio::null()), log)?;
    let status = loop {
        let ended = child.lock().try_wait();
        let failed = |source| LocalError::Run { program: command.get_program().into(), source };
        match ended.map_err(failed)? {
            Some(status) => break status,
            None => (settings.sleep)(POLL_EVERY),
        }
    };
    if status.success() {
        return Ok(());
    }
    let command = format!("{command:?}").replace('"', "");
    Err(LocalError::Install { command, status, tail: tail_of(log), log: log.to_owned() })
}

/// Starts a program whose output is added to a log.
fn spawn_into(settings: &LocalSettings, command: &mut Command, log: &Path) -> Result<Counted, LocalError> {
    let failed = |source| LocalError::Files { path: log.to_owned(), source };
    let output = File::options().create(true).append(true).open(log).map_err(failed)?;
    command.stdout(output.try_clone().map_err(failed)?).stderr(output);
    settings.children.start(command).map_err(|source| LocalError::Run { program: command.get_program().into(), source })
}

/// One paystack at a time starts or installs.
fn lock_of(settings: &LocalSettings, tell: &mut dyn FnMut(Progress)) -> Result<File, LocalError> {
    lock(&settings.cache.join("local.lock"), tell)
}

/// Holds a file that only one process at a time can hold; it is free again when the returned file is dropped.
fn lock(path: &Path, tell: &mut dyn FnMut(Progress)) -> Result<File, LocalError> {
    let failed = |source| LocalError::Files { path: path.to_owned(), source };
    write(path, b"")?;
    let file = File::options().write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            tell(Progress::WaitingForAnother);
            file.lock().map_err(failed)?;
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    Ok(file)
}

fn write(path: &Path, content: &[u8]) -> Result<(), LocalError> {
    let failed = |source| LocalError::Files { path: path.to_owned(), source };
    path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, content)).map_err(failed)
}

fn replace_directory(path: &Path) -> Result<(), LocalError> {
    let failed = |source| LocalError::Files { path: path.to_owned(), source };
    if path.exists() {
        fs::remove_dir_all(path).map_err(failed)?;
    }
    fs::create_dir_all(path).map_err(failed)
}

/// Tells one version of the emulator from another.
fn fingerprint() -> String {
    hex_digest_of(HOST_FILES.iter().flat_map(|(name, text)| [*name, *text]).chain([REQUIREMENTS]), 16)
}

fn tail_of(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().filter(|it| !it.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

fn listed(items: &[String]) -> String {
    items.iter().map(|it| format!("\n  {it}")).collect()
}

fn quoted(text: &str) -> String {
    text.lines().map(|it| format!("\n  | {it}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use std::thread;

    /// A home directory with programs that say what a test wants them to say.
    struct World {
        root: tempfile::TempDir,
    }

    impl World {
        fn new() -> Self {
            Self { root: tempfile::tempdir().unwrap() }
        }

        fn program(self, path: &str, script: &str) -> Self {
            let path = self.root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = path.with_extension("text");
            fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
            // Another process writes the program: one that this process has open cannot be run by another test.
            assert!(Command::new("install").args(["-m", "755"]).args([&text, &path]).status().unwrap().success());
            self
        }

        fn settings(&self) -> LocalSettings {
            let root = self.root.path();
            let variables = |name: &str| match name {
                "HOME" => Some(root.into()),
                "PATH" => Some(root.join("bin").into()),
                _ => None,
            };
            LocalSettings::from_variables(variables, |_| {}).unwrap()
        }

        fn python(&self) -> String {
            let found = match find_python(&self.settings()) {
                Ok(python) => format!("{python:?}"),
                Err(error) => error.to_string(),
            };
            found.replace(&self.root.path().display().to_string(), "~")
        }
    }

    #[test]
    fn a_python_on_the_search_path_is_taken_first() {
        let world = World::new()
            .program("bin/python3", "echo 3 11")
            .program("bin/python3.12", "echo 3 12")
            .program(".pyenv/versions/3.13.0/bin/python", "echo 3 13");
        expect![[r#"Installed("~/bin/python3.12")"#]].assert_eq(&world.python());
    }

    #[test]
    fn a_shim_with_nothing_behind_it_is_passed_over() {
        let world = World::new()
            .program("bin/python3.13", "echo 'command not found' >&2; exit 127")
            .program("bin/python3", "echo 3 9")
            .program(".pyenv/versions/3.12.9/bin/python", "echo 3 12")
            .program(".pyenv/versions/3.12.10/bin/python", "echo 3 12");
        expect![[r#"Installed("~/.pyenv/versions/3.12.10/bin/python")"#]].assert_eq(&world.python());
    }

    #[test]
    fn uv_is_asked_last() {
        let world = World::new()
            .program("bin/python3", "echo 3 14")
            .program("bin/uv", "[ \"$1 $2\" = 'python find' ] && echo /opt/python3.13");
        expect![[r#"Installed("/opt/python3.13")"#]].assert_eq(&world.python());
        let world = World::new().program("bin/uv", "exit 2");
        expect![[r#"Uv("~/bin/uv")"#]].assert_eq(&world.python());
    }

    #[test]
    fn without_any_python_the_error_says_what_was_found_and_what_to_do() {
        let world = World::new().program("bin/python3.13", "exit 127").program("bin/python3", "echo 3 11");
        expect![[r#"
            found no Python 3.12 or 3.13 for the emulator
              `~/bin/python3.13` cannot make environments
              `~/bin/python3` is 3.11
            install one, for example with `uv python install 3.13` or `pyenv install 3.13`, and start again"#]]
        .assert_eq(&world.python());
    }

    #[test]
    fn a_failed_installation_says_what_failed_and_is_done_anew_the_next_time() {
        let python = r#"case "$*" in
            *"import sys"*) echo 3 13;;
            "-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;
            *) echo "no matching distribution"; exit 1;;
        esac"#;
        let world = World::new().program("bin/python3.13", python);
        let settings = world.settings();
        for _ in 0..2 {
            let mut told = Vec::new();
            let error = install(&settings, &mut |it| told.push(it)).unwrap_err().to_string();
            // A child of another test may hold the lock's file for a moment.
            told.retain(|it| it != &Progress::WaitingForAnother);
            assert!(error.contains("-m pip install --require-hashes"), "{error}");
            assert!(error.contains("ended with exit status: 1\n  | no matching distribution\n"), "{error}");
            assert!(matches!(told.as_slice(), [Progress::Installing { .. }]));
        }
    }

    #[test]
    fn an_installation_is_made_once() {
        let python = r#"case "$*" in
            *"import sys"*) echo 3 13;;
            "-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;
        esac"#;
        let world = World::new().program("bin/python3.13", python);
        let settings = world.settings();
        let mut installed = 0;
        // A child of another test may hold the lock's file for a moment, which is told as waiting.
        let mut tell = |progress| installed += usize::from(matches!(progress, Progress::Installing { .. }));
        let first = install(&settings, &mut tell).unwrap();
        install(&settings, &mut tell).unwrap();
        assert_eq!(installed, 1);
        assert!(first.files.join("gaps/waf.py").exists());
        assert_eq!(first.function_python, first.python);
    }

    #[test]
    fn functions_get_the_emulators_versions_of_what_they_lack() {
        let requirements =
            "boto3==1 \\\n    --hash=a\nrpds-py==2 \\\n    --hash=b \\\n    --hash=c\nsix==3 \\\n    --hash=d\n";
        expect![[r"
            rpds-py==2 \
                --hash=b \
                --hash=c
        "]]
        .assert_eq(&only(&["rpds-py"], requirements));
        let locked = only(&FUNCTION_PACKAGES, REQUIREMENTS);
        assert_eq!(locked.lines().filter(|line| !line.starts_with(' ')).count(), FUNCTION_PACKAGES.len());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a program of this machine has to be waited for")]
    fn an_emulator_that_ends_while_it_starts_is_reported_with_its_last_words() {
        let python = r#"case "$*" in
            *"import sys"*) echo 3 13;;
            "-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;
            *localstack_host.py*) echo "ImportError: cbor2"; exit 3;;
        esac"#;
        let world = World::new().program("bin/python3.13", python);
        let settings = LocalSettings { sleep: thread::sleep, ..world.settings() };
        let instance = Instance { name: "test", port: Port::Free, idle: None };
        let error = start(&settings, instance, &mut |_| {}).unwrap_err().to_string();
        assert!(
            error.starts_with("the emulator ended while it started, with exit status: 3\n  | ImportError: cbor2\n")
        );
        assert_eq!(status(&settings, instance), None);
    }

    #[test]
    fn a_port_in_use_is_named() {
        let world = World::new();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = start(&world.settings(), Instance::of_user(port), &mut |_| {}).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "port {port} is taken by another program\n\
                 stop that program, or choose another port with `--port`"
            )
        );
    }

    #[test]
    fn an_emulator_is_recognised_by_its_health_page() {
        let answers = |body: &'static str| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).unwrap();
                write!(stream, "HTTP/1.1 200 OK\r\n\r\n{body}").unwrap();
            });
            health(port)
        };
        assert_eq!(
            answers(r#"{"services": {}, "paystack": {"fingerprint": "f", "pid": 7}}"#),
            Some(Name { pid: 7, fingerprint: "f".to_owned() })
        );
        assert_eq!(answers(r#"{"services": {}, "edition": "pro"}"#), None);
        assert_eq!(answers("not JSON"), None);
    }

    #[test]
    fn stopping_what_does_not_run_is_no_error() {
        let world = World::new();
        let stopped = stop(&world.settings(), Instance::of_user(1), &mut |_| {}).unwrap();
        assert_eq!(stopped, Stopped::Before);
    }

    #[test]
    fn variables_point_a_client_at_the_emulator() {
        let running = Running { port: 4566, pid: 1, log: PathBuf::new(), fingerprint: String::new() };
        expect![[r#"
            AWS_ENDPOINT_URL=http://127.0.0.1:4566
            AWS_ACCESS_KEY_ID=000000000001
            AWS_SECRET_ACCESS_KEY=test
            AWS_REGION=us-east-1
            AWS_DEFAULT_REGION=us-east-1
        "#]]
        .assert_eq(
            &running
                .variables("000000000001")
                .iter()
                .map(|(name, value)| format!("{name}={value}\n"))
                .collect::<String>(),
        );
    }
}
