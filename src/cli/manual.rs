//! `paystack completions` and `paystack man`: what a shell and a reader of manuals need of the command line.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::arguments::Arguments;
use crate::cli::{CliError, Exit, World};

pub fn completions(shell: Shell, world: &mut World) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "paystack", &mut script);
    world.out.write_all(&script)?;
    Ok(Exit::Done)
}

pub fn man(name: Option<&str>, world: &mut World) -> Result<Exit, CliError> {
    let mut all = Arguments::command();
    all.build();
    let command = match name {
        None => &all,
        Some(name) => all.find_subcommand(name).ok_or_else(|| CliError::UnknownCommand {
            name: name.to_owned(),
            known: all.get_subcommands().map(|command| format!("`{}`", command.get_name())).collect(),
        })?,
    };
    Man::new(command.clone()).render(&mut world.out)?;
    Ok(Exit::Done)
}
