import API
import Commands
import ControlPlane
import Gateway
import Storage

extension StoreError: ReportableError {
    package var commandFailure: CommandFailure {
        CommandFailure(.failed, message, hint: hint)
    }
}

extension APIProblem: ReportableError {
    package var commandFailure: CommandFailure { CommandFailure(.failed, error.message, hint: error.hint) }
}

extension GatewayProcess.StartError: ReportableError {
    package var commandFailure: CommandFailure { CommandFailure(.failed, description) }
}
