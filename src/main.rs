//! Reads the machine, hands it to the command, and turns the result into an exit code.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is where the machine is handed in")]

use std::hash::{BuildHasher, Hasher};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use mimalloc::MiMalloc;
use paystack::aws::clock::SystemClock;
use paystack::cli::view::Terminal;
use paystack::cli::{self, Arguments, Exit, GUARD_ENGINE, World};
use paystack::diagnostic::Style;
use paystack::interrupt::{Interrupts, Leaving};
use paystack::policy;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|it| it == GUARD_ENGINE) {
        return guard_engine();
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => return say(&answer),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("error: failed to start: {error}\n")),
    };
    let directory = match std::env::current_dir() {
        Ok(directory) => directory,
        Err(error) => return fail(&format!("error: failed to find the current directory: {error}\n")),
    };
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return fail(&format!("error: failed to find paystack's own program: {error}\n")),
    };
    let interrupts = Interrupts::default();
    if let Err(error) = listen(&runtime, interrupts.clone()) {
        return fail(&format!("error: failed to listen for interruptions: {error}\n"));
    }
    let mut world = World {
        program,
        directory,
        temporary: std::env::temp_dir(),
        variable: |name| std::env::var_os(name),
        clock: Arc::new(SystemClock::start()),
        sleep: std::thread::sleep,
        salt: salt(),
        caller: caller(),
        input: Box::new(std::io::BufReader::new(std::io::stdin())),
        can_ask: std::io::stdin().is_terminal(),
        out: Box::new(anstream::stdout()),
        err: Box::new(anstream::stderr()),
        terminal: terminal(),
        is_coloured: anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never,
        interrupts,
    };
    let ended = runtime.block_on(cli::run(arguments, &mut world));
    // Somebody may still be asked, whose answer nobody waits for any more.
    runtime.shutdown_background();
    match ended {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Failed) => ExitCode::from(1),
        Ok(Exit::Changes) => ExitCode::from(2),
        Ok(Exit::Interrupted) => ExitCode::from(130),
        Err(error) => fail(&error.show(if world.is_coloured { Style::Coloured } else { Style::Plain })),
    }
}

/// What this program is where paystack has rules in Guard's language checked.
fn guard_engine() -> ExitCode {
    let read = std::io::read_to_string(std::io::stdin()).map_err(|error| error.to_string());
    let written = read
        .and_then(|payload| policy::guard_engine(&payload))
        .and_then(|report| std::io::stdout().write_all(report.as_bytes()).map_err(|error| error.to_string()));
    written.map_or_else(|message| fail(&message), |()| ExitCode::SUCCESS)
}

/// Hands over every interruption. Beside the command, which may be asking, waiting for pip, or deep in a call.
#[cfg(unix)]
fn listen(runtime: &tokio::runtime::Runtime, interrupts: Interrupts) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let _entered = runtime.enter();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    runtime.spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            leave_if_interrupted(&interrupts).await;
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn listen(runtime: &tokio::runtime::Runtime, interrupts: Interrupts) -> std::io::Result<()> {
    runtime.spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            leave_if_interrupted(&interrupts).await;
        }
    });
    Ok(())
}

async fn leave_if_interrupted(interrupts: &Interrupts) {
    if let Some(Leaving { said, patience }) = interrupts.interrupt() {
        let _ = anstream::stderr().write_all(format!("\n{said}\n").as_bytes());
        tokio::time::sleep(patience).await;
        std::process::exit(130);
    }
}

/// Help and version are answers; all else is a mistake, for which 2 would be taken for changes in a plan.
fn say(answer: &clap::Error) -> ExitCode {
    // Where even this cannot be written, the exit code is all there is to say.
    let _ = answer.print();
    if answer.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

fn fail(text: &str) -> ExitCode {
    // Where even this cannot be written, the exit code is all there is to say.
    let _ = anstream::stderr().write_all(text.as_bytes());
    ExitCode::from(1)
}

/// Random enough to keep equal secrets of two stacks from looking equal.
fn salt() -> String {
    let random = || std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// A terminal, unless it says that it understands nothing but lines.
fn terminal() -> Option<Terminal> {
    let is_dumb = std::env::var_os("TERM").is_none_or(|name| name == "dumb");
    let is_coloured = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
    let size = || terminal_size::terminal_size().map(|(width, height)| (width.0, height.0));
    (std::io::stdout().is_terminal() && !is_dumb).then(|| Terminal {
        out: Box::new(std::io::stdout()),
        size,
        is_coloured,
    })
}

fn caller() -> String {
    let variable = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
    let host = variable(&["HOSTNAME", "COMPUTERNAME"]);
    let user = variable(&["USER", "USERNAME", "LOGNAME"]);
    match (user.as_str(), host.as_str()) {
        ("", "") => "somebody".to_owned(),
        (user, "") => user.to_owned(),
        ("", host) => format!("somebody on {host}"),
        (user, host) => format!("{user} on {host}"),
    }
}
