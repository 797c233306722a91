//! The proxy by hand: starts one, says where it listens, and writes a line for every call.

#![expect(clippy::print_stdout, reason = "this is what a person starts and reads")]

use std::io;
use std::process::Command;
use std::sync::Arc;

use clap::Parser;
use fault_proxy::fault::Fault;
use fault_proxy::memory::Memory;
use fault_proxy::real::{self, Pace};
use fault_proxy::{Behaviour, Line, Proxy, Script};

/// Stands between an AWS client and an emulator, and does what networks, services and real AWS do.
#[derive(Debug, Parser)]
struct Arguments {
    /// The emulator, `http://127.0.0.1:4566`.
    upstream: String,
    /// The port to listen on; a free one where none is given.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What goes wrong: WHEN:WHAT. WHEN is a call's number, `sqs.CreateQueue`, `sqs.CreateQueue#2`, `first` (of every
    /// operation) or `20%`. WHAT is drop, lose, cut, throttle, fail[=503], fail-after[=503], delay=MS, kill-before or
    /// kill-after.
    #[arg(long = "fault", value_name = "WHEN:WHAT")]
    faults: Vec<Fault>,
    /// For faults by chance: the same seed and the same order of calls give the same faults.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What real AWS does and the emulator does not, by name; `all` for everything. A wrong name lists them.
    #[arg(long = "real", value_name = "BEHAVIOUR")]
    behaviours: Vec<String>,
    /// Answer what has been answered before at once, without the emulator, which may have changed meanwhile.
    #[arg(long)]
    remember: bool,
    /// How fast the times of --real go by: 0.1 makes ten seconds one.
    #[arg(long, default_value_t = 1.0)]
    pace: f64,
    /// The process that kill-before and kill-after kill.
    #[arg(long, value_name = "PID")]
    victim: Option<u32>,
}

fn main() -> io::Result<()> {
    let Arguments { upstream, port, faults, seed, behaviours, remember, pace, victim } = Arguments::parse();
    let kill = victim.map(|pid| {
        let kill: Box<dyn Fn() + Send + Sync> = Box::new(move || {
            // Where it is gone already, there is nothing to kill.
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        });
        kill
    });
    let mut behaviours = chosen(&behaviours, Pace(pace)).map_err(io::Error::other)?;
    if remember {
        behaviours.push(Arc::new(Memory::default()));
    }
    let script = Script { faults, behaviours, seed, kill, watch: Some(Box::new(show)) };
    let proxy = Proxy::start_on(port, &upstream, script)?;
    println!("export AWS_ENDPOINT_URL={}", proxy.endpoint());
    loop {
        std::thread::park();
    }
}

fn chosen(names: &[String], pace: Pace) -> Result<Vec<Arc<dyn Behaviour>>, String> {
    match names {
        [all] if all == "all" => Ok(real::all(pace)),
        names => names.iter().map(|name| real::named(name, pace)).collect(),
    }
}

fn show(line: &Line) {
    let Line { number, call, faults, status, from_ms, to_ms } = line;
    let status = status.map_or_else(|| "broken".to_owned(), |status| status.to_string());
    let faults: Vec<String> = faults.iter().map(|fault| format!(" {fault:?}")).collect();
    println!("{number:5} {:>6} ms {:>5} ms  {status:6} {call}{}", from_ms, to_ms - from_ms, faults.concat());
}
