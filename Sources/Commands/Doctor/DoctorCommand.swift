import APIClient
import ArgumentParser

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this machine, and name the command that mends what is missing.",
        discussion: """
            Starts no server. Ends with 2 when something required is missing.

            EXAMPLES
              microstax doctor
              microstax doctor -o json
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        var checks: [DoctorCheck] = []
        switch try ServerLocation(environment: Terminal.environment) {
        case .local(let folder):
            checks.append(MachineChecks.stateFolder(folder.path))
            checks.append(MachineChecks.diskSpace(folder.path))
            checks += await ServerChecks.run(try common.client(starting: false), isLocal: true)
        case .remote:
            checks += await ServerChecks.run(try common.client(starting: false), isLocal: false)
        }
        checks += MachineChecks.limits() + ProgramChecks.run(path: Terminal.environment["PATH"] ?? "")
        try common.show(checks, ids: checks.filter { $0.state != .ok }.map(\.name)) { DoctorCheck.table(checks) }
        if checks.contains(where: { $0.isRequired && $0.state == .missing }) {
            throw CommandFailure(
                .notHealthy, "something that MicroStax needs is missing on this machine",
                hint: "run what stands under `mend` above")
        }
    }
}
