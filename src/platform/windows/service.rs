//! Services of Windows: one for each machine, under an account of its own.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use windows_service::define_windows_service;
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceControl, ServiceControlAccept,
    ServiceErrorControl, ServiceExitCode, ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo,
    ServiceStartType, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle};
use windows_service::service_dispatcher;
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use super::{access, files};

/// The program installs itself.
pub const IS_SUPPORTED: bool = true;

/// Text for those who try where that is not supported.
pub const ADVICE: &str = "";

/// Name of the service.
const NAME: &str = "Parlour";

/// Account that Windows keeps for the service. It has no password and no rights beyond those of every user.
const ACCOUNT: &str = r"NT SERVICE\Parlour";

/// Identifier of that account, which Windows makes of the SHA-1 of the service's name.
const ACCOUNT_SID: &str = "S-1-5-80-2367484889-2239347018-2800987788-1046676714-953134990";

/// Error of a setting that the system does not know.
const ERROR_INVALID_LEVEL: i32 = 124;

/// Error of a service that is not installed.
const ERROR_SERVICE_DOES_NOT_EXIST: i32 = 1060;

/// Time limit for the end of the server, longer than the server's own.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause before Windows starts a server again that has failed.
const RESTART_PAUSE: Duration = Duration::from_secs(5);

/// Number of days whose logs are kept.
const LOG_FILES: usize = 14;

/// Set when Windows asks the service to stop.
static STOP: Notify = Notify::const_new();

/// The server, until the service starts.
static SERVER: Mutex<Option<Box<dyn FnOnce() -> bool + Send>>> = Mutex::new(None);

/// Handle by which the service reports its state.
static STATUS: OnceLock<ServiceStatusHandle> = OnceLock::new();

/// Completes when Windows asks the service to stop; never outside of a service.
pub(super) async fn stop_requested() {
    STOP.notified().await;
}

/// Home of the service's server, as the help names it.
pub const SYSTEM_HOME: &str = r"%ProgramData%\Parlour";

/// Returns the path of [`SYSTEM_HOME`]: `Parlour` in the folder for the data of all users.
pub fn system_home() -> PathBuf {
    let all = std::env::var_os("ProgramData").filter(|folder| !folder.is_empty());
    all.map_or_else(|| PathBuf::from(r"C:\ProgramData"), PathBuf::from).join("Parlour")
}

/// Returns the configuration file of that server, which is in its home.
pub fn system_config() -> PathBuf {
    system_home().join("parlour.toml")
}

/// Installs the service and starts it. Its folder becomes private to the service's account and the administrators.
pub fn install(folder: &Path) -> io::Result<()> {
    let manager = connect(ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE)?;
    let arguments = ["service", "run", "--home"].map(OsString::from).into_iter().chain([folder.into()]);
    let service = ServiceInfo {
        name: NAME.into(),
        display_name: "Parlour chat server".into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: std::env::current_exe()?,
        launch_arguments: arguments.collect(),
        dependencies: Vec::new(),
        account_name: Some(ACCOUNT.into()),
        account_password: None,
    };
    let access = ServiceAccess::CHANGE_CONFIG | ServiceAccess::START | ServiceAccess::DELETE;
    let service = manager.create_service(&service, access).map_err(to_io_error)?;
    let started =
        prepare(&service, folder).and_then(|()| service.start::<OsString>(&[]).map_err(to_io_error));
    if started.is_err() {
        // A service that never ran would be in the way of the next attempt.
        let _ = service.delete();
    }
    started
}

fn prepare(service: &Service, folder: &Path) -> io::Result<()> {
    let restart = ServiceAction { action_type: ServiceActionType::Restart, delay: RESTART_PAUSE };
    let failures = ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(Duration::from_hours(1)),
        reboot_msg: None,
        command: None,
        actions: Some(vec![restart]),
    };
    service.set_description("Encrypted chat for the people on your network").map_err(to_io_error)?;
    service.update_failure_actions(failures).map_err(to_io_error)?;
    match service.set_failure_actions_on_non_crash_failures(true).map_err(to_io_error) {
        // Wine starts the service again after crashes alone.
        Err(error) if error.raw_os_error() != Some(ERROR_INVALID_LEVEL) => return Err(error),
        _ => {}
    }
    files::create_private_folder(folder)?;
    access::share_folder_with(folder, ACCOUNT_SID)
}

/// Stops the service and removes it. Its files stay.
pub fn remove() -> io::Result<()> {
    let access = ServiceAccess::QUERY_STATUS | ServiceAccess::STOP | ServiceAccess::DELETE;
    let service = connect(ServiceManagerAccess::CONNECT)?.open_service(NAME, access).map_err(to_io_error)?;
    let state = || service.query_status().map(|status| status.current_state).map_err(to_io_error);
    if state()? != ServiceState::Stopped {
        service.stop().map_err(to_io_error)?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while state()? != ServiceState::Stopped && Instant::now() < deadline {
            sleep(Duration::from_millis(100));
        }
    }
    service.delete().map_err(to_io_error)
}

/// Returns the state of the service as a sentence.
pub fn status() -> io::Result<String> {
    let manager = connect(ServiceManagerAccess::CONNECT)?;
    let service = match manager.open_service(NAME, ServiceAccess::QUERY_STATUS).map_err(to_io_error) {
        Ok(service) => service,
        Err(error) if error.raw_os_error() == Some(ERROR_SERVICE_DOES_NOT_EXIST) => {
            return Ok("not installed; `parlour service install` does that".to_owned());
        }
        Err(error) => return Err(error),
    };
    let status = service.query_status().map_err(to_io_error)?;
    Ok(match (status.current_state, status.process_id) {
        (ServiceState::Running, Some(pid)) => format!("running, as process {pid}"),
        (ServiceState::Running, None) => "running".to_owned(),
        (ServiceState::Stopped, _) => match status.exit_code {
            ServiceExitCode::Win32(0) => "stopped".to_owned(),
            code => format!("stopped by an error ({code:?}); the log says which"),
        },
        (ServiceState::StartPending, _) => "starting".to_owned(),
        (ServiceState::StopPending, _) => "stopping".to_owned(),
        (other, _) => format!("{other:?}"),
    })
}

/// Runs a server as the service that this process was started for. It returns whether the server ended in order.
///
/// # Errors
/// When Windows has not started this process as a service.
pub fn run(server: impl FnOnce() -> bool + Send + 'static) -> io::Result<()> {
    *SERVER.lock() = Some(Box::new(server));
    service_dispatcher::start(NAME, service_entry).map_err(to_io_error)
}

define_windows_service!(service_entry, service_main);

fn service_main(_: Vec<OsString>) {
    let Some(server) = SERVER.lock().take() else { return };
    let handler = |event| match event {
        ServiceControl::Stop | ServiceControl::Shutdown => {
            report(ServiceState::StopPending, 0);
            STOP.notify_one();
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    };
    let Ok(status) = service_control_handler::register(NAME, handler) else { return };
    let _ = STATUS.set(status);
    report(ServiceState::Running, 0);
    let ended_in_order = server();
    report(ServiceState::Stopped, u32::from(!ended_in_order));
}

/// Reports a state. Without that Windows takes the service for hanging and ends it, which is all that can be done.
fn report(state: ServiceState, exit_code: u32) {
    let Some(handle) = STATUS.get() else { return };
    let is_running = state == ServiceState::Running;
    let controls = ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN;
    let _ = handle.set_service_status(ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: if is_running { controls } else { ServiceControlAccept::empty() },
        exit_code: match exit_code {
            0 => ServiceExitCode::Win32(0),
            code => ServiceExitCode::ServiceSpecific(code),
        },
        checkpoint: 0,
        wait_hint: if state == ServiceState::StopPending { STOP_TIMEOUT } else { Duration::ZERO },
        process_id: None,
    });
}

/// Opens the log of the service: a file for each day in a private folder.
pub fn open_log(folder: &Path) -> io::Result<impl Write + Send + use<>> {
    files::create_private_folder(folder)?;
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("parlour")
        .filename_suffix("log")
        .max_log_files(LOG_FILES)
        .build(folder)
        .map_err(io::Error::other)
}

fn connect(access: ServiceManagerAccess) -> io::Result<ServiceManager> {
    ServiceManager::local_computer(None::<&str>, access).map_err(to_io_error)
}

fn to_io_error(error: windows_service::Error) -> io::Error {
    match error {
        windows_service::Error::Winapi(error) => error,
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use sha1::{Digest as _, Sha1};

    use super::*;

    /// Returns the identifier of a service's account.
    fn account_sid(service: &str) -> String {
        let name: Vec<u8> = service.to_uppercase().encode_utf16().flat_map(u16::to_le_bytes).collect();
        let hash = Sha1::digest(name);
        let parts = hash.chunks_exact(4).map(|it| u32::from_le_bytes(it.try_into().expect("four bytes")));
        parts.fold("S-1-5-80".to_owned(), |sid, part| format!("{sid}-{part}"))
    }

    #[test]
    fn account_has_the_identifier_that_windows_makes_of_the_name() {
        // That of Windows' own installer, which is the same on every machine.
        assert_eq!(
            account_sid("TrustedInstaller"),
            "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
        );
        assert_eq!(account_sid(NAME), ACCOUNT_SID);
    }
}
