//! The binary, run as a user runs it: in a directory of its own, with an environment, to its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

use super::Account;

/// What a destroy says when the account is as it was before the first apply.
pub const AS_BEFORE: &str = "What carries no marks is as it was before the first apply";

const DEADLINE: Duration = Duration::from_secs(300);

/// A project directory and the binary.
pub struct Paystack {
    directory: tempfile::TempDir,
}

impl Paystack {
    pub fn in_empty_directory() -> Self {
        Self { directory: tempfile::tempdir().expect("there is room for a directory") }
    }

    /// Where the project is.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    /// Adds a file to the project, or replaces it.
    pub fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a file is in a directory")).expect("a directory can be made");
        fs::write(path, text).expect("a file can be written");
        self
    }

    /// The text of a file of the project.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("the file is there")
    }

    /// Copies a file or directory of the repository to the same place in the project.
    pub fn copy(&self, path: &str) -> &Self {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path), &self.path().join(path));
        self
    }

    /// Changes a file: `from` has to be in it.
    pub fn replace(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = self.read(path);
        assert!(text.contains(from), "`{path}` does not contain `{from}`");
        self.write(path, &text.replace(from, to))
    }

    /// Lets the project's templates break its rules, as a test's changes do.
    pub fn without_rules(&self) -> &Self {
        let text = self.read("paystack.toml");
        let start = text.find("\n[policy").expect("the project has rules") + 1;
        let end = text[start..].find("\n\n").map_or(text.len(), |end| start + end);
        self.write("paystack.toml", &format!("{}{}", &text[..start], &text[end..]))
    }

    /// Takes a resource out of a template in YAML: it ends at an empty line.
    pub fn without_resource(&self, template: &str, logical_id: &str) -> &Self {
        let text = self.read(template);
        let start = text.find(&format!("\n  {logical_id}:\n")).expect("the resource is there") + 1;
        let end = start + text[start..].find("\n\n").expect("another resource follows") + 2;
        self.write(template, &format!("{}{}", &text[..start], &text[end..]))
    }

    /// Removes a file or directory of the project, if it is there.
    pub fn remove(&self, path: &str) -> &Self {
        let path = self.path().join(path);
        if path.is_dir() {
            fs::remove_dir_all(path).expect("a directory can be removed");
        } else if path.exists() {
            fs::remove_file(path).expect("a file can be removed");
        }
        self
    }

    /// Runs the binary to its end.
    #[track_caller]
    pub fn run(&self, account: &Account, arguments: &[&str]) -> Ran {
        self.run_command(self.command(account, arguments))
    }

    /// Applies what arguments name, finds it as it should be with and without the ledger, and deletes all of it.
    #[track_caller]
    pub fn goes_the_whole_way(&self, account: &Account, arguments: &[&str]) {
        let run = |command: &[&str]| self.run(account, &[command, arguments].concat()).exits(0);
        run(&["apply", "--auto-approve"]);
        run(&["plan", "--detailed-exitcode"]);
        let (state, away) = (self.path().join("state"), self.path().join("state-away"));
        fs::rename(&state, &away).expect("an apply leaves a ledger");
        run(&["plan", "--detailed-exitcode"]);
        self.remove("state");
        fs::rename(&away, &state).expect("it is there");
        let destroyed = run(&["destroy", "--auto-approve"]).stdout;
        assert!(destroyed.contains(AS_BEFORE), "the account is not what it was: {destroyed}");
        account.census().assert_empty();
    }

    /// The binary with its environment, for a test that changes something about it.
    pub fn command(&self, account: &Account, arguments: &[&str]) -> Command {
        let mut command = self.command_nowhere(arguments);
        command.envs(account.variables());
        command
    }

    /// A shell that stops at the first command that fails, and in which `paystack` is the binary.
    pub fn shell(&self, account: &Account, commands: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_paystack")).parent().expect("a file is in a directory");
        let path = env::var_os("PATH").unwrap_or_default();
        let paths = [binary.to_owned()].into_iter().chain(env::split_paths(&path));
        let mut command = self.here(Command::new("bash"));
        command.args(["-euo", "pipefail", "-c", commands]).envs(account.variables());
        command.env("PATH", env::join_paths(paths).expect("the path was one before"));
        command
    }

    /// The binary with an environment that names no AWS.
    pub fn command_nowhere(&self, arguments: &[&str]) -> Command {
        let mut command = self.here(Command::new(env!("CARGO_BIN_EXE_paystack")));
        command.args(arguments);
        command
    }

    fn here(&self, mut command: Command) -> Command {
        fs::create_dir_all(self.path()).expect("a directory can be made");
        command.current_dir(self.path()).stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|it| it.starts_with("AWS_") || it.starts_with("PAYSTACK_")) {
                command.env_remove(name);
            }
        }
        command
    }

    #[track_caller]
    pub fn run_command(&self, command: Command) -> Ran {
        self.run_victim(command, &Victim::default())
    }

    /// Runs the binary to its end, which may be that it is killed.
    #[track_caller]
    pub fn run_victim(&self, mut command: Command, victim: &Victim) -> Ran {
        let output = tempfile::tempdir_in(self.directory.path()).expect("there is room for a directory");
        let (stdout, stderr) = (output.path().join("stdout"), output.path().join("stderr"));
        command.stdout(File::create(&stdout).expect("a file can be made"));
        command.stderr(File::create(&stderr).expect("a file can be made"));
        let said = format!("{:?}", command.get_args().collect::<Vec<_>>());
        victim.set(Some(command.spawn().expect("the binary runs")));
        let code = wait(victim);
        victim.set(None);
        let read = |path| String::from_utf8_lossy(&fs::read(path).expect("the output was written")).into_owned();
        let ran = Ran { code, stdout: read(stdout), stderr: read(stderr) };
        assert!(ran.code != Code::TooLate, "{said} did not end within {} s: {ran:#?}", DEADLINE.as_secs());
        ran
    }
}

/// How the binary ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Exit(i32),
    Signal,
    TooLate,
}

/// What the binary said, and how it ended.
#[derive(Debug, Clone)]
pub struct Ran {
    pub code: Code,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Panics, with all that was said, unless the binary ended with this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        let Self { code: got, stdout, stderr } = &self;
        assert!(*got == Code::Exit(code), "ended with {got:?}, not {code}\n--- stdout\n{stdout}--- stderr\n{stderr}");
        self
    }

    /// The last of the values that were printed, one a line.
    #[track_caller]
    pub fn last_json(&self) -> serde_json::Value {
        let last = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }
}

/// A run that can be killed from elsewhere; its clones are the same run.
#[derive(Clone, Default)]
pub struct Victim(Arc<Mutex<Option<Child>>>);

impl Victim {
    /// Ends it at once, as `kill -9` does, if it runs.
    pub fn kill(&self) {
        if let Some(child) = self.child().as_mut() {
            child.kill().expect("a child can be ended");
        }
    }

    /// Tells it to stop, as Ctrl-C does, if it runs.
    pub fn interrupt(&self) {
        if let Some(child) = self.child().as_mut() {
            let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
            assert!(sent.expect("kill runs").success(), "a child that is not waited for yet takes signals");
        }
    }

    fn set(&self, child: Option<Child>) {
        *self.child() = child;
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> Option<ExitStatus> {
        let mut child = self.child();
        child.as_mut().expect("it was started").try_wait().expect("a child can be waited for")
    }
}

fn wait(victim: &Victim) -> Code {
    let started = Instant::now();
    loop {
        if let Some(status) = victim.status() {
            return status.code().map_or(Code::Signal, Code::Exit);
        }
        if started.elapsed() > DEADLINE {
            victim.kill();
            return Code::TooLate;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a directory can be made");
        for entry in fs::read_dir(from).expect("the repository can be read") {
            let entry = entry.expect("the repository can be read");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().expect("a file is in a directory")).expect("a directory can be made");
        fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}
