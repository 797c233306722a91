//! `paystack watch`: applies again whenever the template or local code changes. For environments of developers only.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use crate::cli::arguments::{AppArguments, ApplyArguments, Format, WatchArguments};
use crate::cli::stack::read;
use crate::cli::{CliError, Exit, World, apply, view};
use crate::diagnostic::Style;

/// How often the files are looked at: looking is cheap, and works on every file system.
const PAUSE: Duration = Duration::from_millis(300);

pub async fn watch(arguments: &WatchArguments, world: &mut World) -> Result<Exit, CliError> {
    let mut watched = read(&arguments.stack, world)?.watched(&arguments.stack, world)?;
    let once = ApplyArguments {
        file: None,
        app: AppArguments::default(),
        stack: arguments.stack.clone(),
        planning: arguments.planning.clone(),
        lock: arguments.lock,
        format: Format::Text,
        trace: None,
        auto_approve: true,
    };
    loop {
        // From before the apply: what changes during it is applied next.
        let before = seen(&watched);
        match apply::apply(&once, world).await {
            Ok(Exit::Interrupted) => return Ok(Exit::Interrupted),
            Ok(_) => {}
            Err(error) => {
                let style = if world.is_coloured { Style::Coloured } else { Style::Plain };
                write!(world.err, "{}", error.show(style))?;
            }
        }
        view::watching_files(world, watched.len())?;
        let mut last = seen(&watched);
        loop {
            world.clock.sleep(PAUSE).await;
            let now = seen(&watched);
            // A change is over when two looks see the same: editors write in several steps.
            if now == last && now != before {
                break;
            }
            last = now;
        }
        // A template that cannot be read now keeps what it named before.
        if let Ok(checked) = read(&arguments.stack, world) {
            watched = checked.watched(&arguments.stack, world)?;
        }
    }
}

/// Every file with what tells that it has changed.
fn seen(watched: &[PathBuf]) -> BTreeMap<PathBuf, Option<(SystemTime, u64)>> {
    let files = watched.iter().flat_map(|path| WalkDir::new(path).into_iter().filter_map(Result::ok));
    let files = files.filter(|entry| !entry.path().components().any(|part| part.as_os_str() == "__pycache__"));
    files
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| {
            let metadata = entry.metadata().ok();
            let mark = metadata.and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
            (entry.into_path(), mark)
        })
        .collect()
}
