//! The programs that paystack runs and waits for, so that none of them outlives it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The children that run.
#[derive(Debug, Clone, Default)]
pub struct Children(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_ending: bool,
    running: BTreeMap<u32, Arc<Mutex<Child>>>,
}

/// A child that ends with paystack, unless it is let go before.
pub struct Counted {
    children: Children,
    pid: u32,
    child: Arc<Mutex<Child>>,
}

/// How a program ended, and what it said on both outputs.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub said: String,
}

impl Children {
    /// Runs a program to its end.
    ///
    /// # Errors
    ///
    /// It cannot be started, or paystack is about to end.
    pub fn run(&self, command: Command) -> io::Result<Ended> {
        self.run_on(command, Stdio::null())
    }

    /// The same, with something to read.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_on(&self, mut command: Command, input: Stdio) -> io::Result<Ended> {
        let (mut output, end) = io::pipe()?;
        command.stdin(input).stdout(end.try_clone()?).stderr(end);
        let child = self.start(&mut command)?;
        // The command holds the pipe's other end open.
        drop(command);
        let mut said = Vec::new();
        output.read_to_end(&mut said)?;
        let status = child.lock().wait()?;
        Ok(Ended { status, said: String::from_utf8_lossy(&said).into_owned() })
    }

    /// Starts a program that is counted until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn start(&self, command: &mut Command) -> io::Result<Counted> {
        let mut state = self.lock();
        if state.is_ending {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.spawn()?;
        let (pid, child) = (child.id(), Arc::new(Mutex::new(child)));
        state.running.insert(pid, Arc::clone(&child));
        Ok(Counted { children: self.clone(), pid, child })
    }

    /// Ends all that run; none is started from then on.
    pub fn end(&self) {
        let mut state = self.lock();
        state.is_ending = true;
        for child in state.running.values() {
            // One that is held has closed its outputs, and ends by itself.
            if let Ok(mut child) = child.try_lock() {
                let _ = child.kill().and_then(|()| child.wait());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// The child itself. Nobody else can end it while this is held.
    pub fn lock(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn id(&self) -> u32 {
        self.pid
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.children.lock().running.remove(&self.pid);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_child_says_comes_in_order_with_how_it_ended() {
        let ended = Children::default().run(shell("echo one; echo two >&2; exit 3")).expect("it runs");
        assert_eq!((ended.status.code(), ended.said.as_str()), (Some(3), "one\ntwo\n"));
    }

    #[test]
    fn children_end_and_none_is_started_any_more() {
        let children = Children::default();
        let waiting = children.clone();
        let running = std::thread::spawn(move || waiting.run(shell("exec sleep 100")));
        while children.lock().running.is_empty() {
            std::thread::yield_now();
        }
        children.end();
        let ended = running.join().expect("no panic").expect("it was started");
        assert_eq!(ended.status.code(), None);
        let refused = children.run(shell("true")).expect_err("paystack ends");
        assert_eq!(refused.kind(), io::ErrorKind::Interrupted);
    }
}
