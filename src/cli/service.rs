//! `parlour service`: the server as a service of Windows.

use std::path::PathBuf;

use anyhow::Context as _;

use super::output::print;
use super::serve;
use crate::platform::service;
use crate::server::telemetry::log::Log;

/// Run the server as a service of Windows.
///
/// The service runs `parlour serve` in a folder of its own, at each start of the machine, under an account that has no other
/// rights. Its configuration is parlour.toml there, and its log is in the folder `log`, a file a day.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: ServiceCommand,
}

#[derive(clap::Subcommand)]
enum ServiceCommand {
    /// Install the service and start it. Needs the rights of an administrator.
    Install(Home),
    /// Stop the service and remove it. Its files stay.
    Remove,
    /// Print whether the service is installed and runs.
    Status,
    /// Run as the service. Windows calls this.
    #[command(hide = true)]
    Run(Home),
}

/// The option for the folder of the service.
#[derive(clap::Args)]
struct Home {
    /// The folder of the service's server. Default: Parlour in the folder for the data of all users.
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
}

impl Home {
    fn path(self) -> anyhow::Result<PathBuf> {
        Ok(std::path::absolute(self.home.unwrap_or_else(service::system_home))?)
    }
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    anyhow::ensure!(service::IS_SUPPORTED, service::ADVICE);
    match args.command {
        ServiceCommand::Install(home) => {
            let folder = home.path()?;
            service::install(&folder).context(
                "cannot install the service; do it in a terminal that was started as administrator",
            )?;
            print(&format!("installed and started; its files are in {}\n", folder.display()))
        }
        ServiceCommand::Remove => {
            service::remove().context(
                "cannot remove the service; do it in a terminal that was started as administrator",
            )?;
            print("removed; its files stay\n")
        }
        ServiceCommand::Status => {
            let status = service::status().context("cannot ask Windows for the service")?;
            print(&format!("{status}\n"))
        }
        ServiceCommand::Run(home) => {
            let folder = home.path()?;
            service::run(move || serve_in(&folder)).context("only Windows starts the service itself")
        }
    }
}

/// Serves in a folder until the service is to stop. Returns whether that went in order.
fn serve_in(folder: &std::path::Path) -> bool {
    let log = service::open_log(&folder.join("log")).and_then(Log::start);
    // Without a log there is nobody to tell; the state of the service shows the failure.
    let Ok(log) = log else { return false };
    serve::run_with_log(&serve::Args::for_home(folder.to_owned()), &log, false, Ok(Vec::new()))
}
