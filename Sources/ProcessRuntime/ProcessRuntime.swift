import Blueprints
import EnvironmentGraph
import Foundation
import Glibc
import HTTPTransport
import Runtimes

/// Services as local processes, under one small supervisor process per environment.
///
/// The server's side is ``ProcessRuntime``: it finds or starts supervisors and talks to them over a Unix socket. The
/// other side is ``SupervisorProcess``: detached from the server, it starts services, probes and restarts them, writes
/// their logs, and outlives every server. Each service's life is a pure state machine (``ServiceMachine``); the
/// ``Supervisor`` actor drives them. All that both sides must agree on is in the environment's folder:
///
/// ```
/// <root>/<environment>/supervisor.json   who supervises: pid and start time
///                      workloads.json    what should run, without the values of secrets
///                      exits.jsonl       how main processes ended
///                      leaders.jsonl     what was started, to find it again when it hides its mark
///                      logs/<service>/   segments of lines, see LogFormat
///                      volumes/<service>/<volume>/
/// ```
///
/// This module knows nothing of Blueprints' meaning, overlays or gateways: a workload comes with its ports, variables
/// and paths decided.
package struct ProcessRuntime: Runtime {
    /// How long a supervisor that lives may not answer because it is just ending.
    private static let patience: Duration = .seconds(5)

    let root: String
    let finder: SupervisorFinder

    /// - Parameters:
    ///   - root: absolute; one folder per environment is made in it.
    ///   - supervisorCommand: program (absolute) and first arguments that end up in ``SupervisorProcess/run(_:)``.
    package init(root: String, supervisorCommand: [String], logs: LogSettings = LogSettings()) {
        precondition(root.hasPrefix("/") && !supervisorCommand.isEmpty)
        self.root = URL(fileURLWithPath: root).standardizedFileURL.path
        finder = SupervisorFinder(command: supervisorCommand, logs: logs)
    }

    package func apply(_ workload: Workload) async throws {
        let folder = try folder(workload.environment)
        try await withSupervisor(folder, repeatable: true, creating: true) { try await $0.apply(workload) }
    }

    package func stop(_ service: String, of environment: EnvironmentID) async throws {
        let folder = try folder(environment)
        guard let state = try DesiredState.load(folder.workloads),
            let entry = state.entries.first(where: { $0.workload.service == service })
        else { return }
        let timeout = Duration.milliseconds(Milliseconds.of(seconds: entry.workload.stopGraceSeconds) + 30_000)
        do {
            try await withSupervisor(folder, repeatable: true) { try await $0.stop(service, timeout: timeout) }
        } catch let error as RuntimeError where error.code == .notFound {
            // Deleted meanwhile, so nothing of it runs.
        }
    }

    package func observe(_ environment: EnvironmentID) async throws -> [WorkloadStatus] {
        let folder = try folder(environment)
        if finder.living(folder) == nil {
            guard let state = try DesiredState.load(folder.workloads) else { return [] }
            if !state.needsSupervisor { return state.entries.compactMap(\.ended) }
        }
        do {
            return try await withSupervisor(folder, repeatable: true) { try await $0.statuses() }
        } catch let error as RuntimeError where error.code == .notFound {
            return []
        }
    }

    package func run(
        _ command: RuntimeCommand, in service: String, of environment: EnvironmentID
    ) async throws -> RuntimeCommandResult {
        let folder = try folder(environment)
        guard folder.exists else { throw RuntimeError(.notFound, "there is no environment \(environment)") }
        return try await withSupervisor(folder, repeatable: false) { try await $0.run(command, in: service) }
    }

    package func exec(
        _ command: ExecCommand, in service: String, of environment: EnvironmentID
    ) async throws -> any ExecSession {
        let folder = try folder(environment)
        guard folder.exists else { throw RuntimeError(.notFound, "there is no environment \(environment)") }
        return try await withSupervisor(folder, repeatable: false) { try await $0.exec(command, in: service) }
    }

    package func logs(of environment: EnvironmentID, _ query: LogQuery) -> AsyncThrowingStream<LogLine, any Error> {
        let reader = LogReader(folder: EnvironmentFolder(root: root, environment: environment).logs, query: query)
        return AsyncThrowingStream { try await reader.next() }
    }

    package func logPages(
        of environment: EnvironmentID, _ query: LogQuery
    ) -> AsyncThrowingStream<[LogLine], any Error> {
        let reader = LogReader(folder: EnvironmentFolder(root: root, environment: environment).logs, query: query)
        return AsyncThrowingStream { try await reader.nextPage() }
    }

    /// Where the volume is or will be; a `host` volume is where its service says, not here.
    package func volumePath(_ volume: String, of service: String, in environment: EnvironmentID) -> String? {
        guard EnvironmentFolder.isUsable(volume), EnvironmentFolder.isUsable(service) else { return nil }
        return EnvironmentFolder(root: root, environment: environment).volume(volume, of: service)
    }

    package func environments() async throws -> [EnvironmentID] {
        await OffPool.run { listed() }
    }

    private func listed() -> [EnvironmentID] {
        // The folder of all environments may be a link; no other is followed.
        var names = Set(FolderListing.names(root + "/.").filter(isOurs))
        let prefix = ShortHash.of(root) + "/"
        for entry in ProcessTable.all() where !entry.isZombie {
            for variable in [ProcessMark.supervisorVariable, ProcessMark.variable] {
                guard let value = ProcessTable.variable(variable, of: entry.pid), value.hasPrefix(prefix) else {
                    continue
                }
                names.insert(String(value.dropFirst(prefix.count).prefix { $0 != "/" }))
            }
        }
        return names.sorted().map(EnvironmentID.init(rawValue:))
    }

    /// Folders that a person put beside ours are not taken for environments.
    private func isOurs(_ name: String) -> Bool {
        let folder = EnvironmentFolder(root: root, environment: EnvironmentID(rawValue: name))
        guard EnvironmentFolder.isUsable(name) else { return false }
        return access(folder.lock, F_OK) == 0 || (name.hasPrefix("env-") && access(folder.path + "/.", F_OK) == 0)
    }

    func folder(_ environment: EnvironmentID) throws -> EnvironmentFolder {
        guard EnvironmentFolder.isUsable(environment.rawValue) else {
            throw RuntimeError(.invalidWorkload, "`\(environment)` cannot be an environment's id")
        }
        return EnvironmentFolder(root: root, environment: environment)
    }

    /// Calls the environment's supervisor, a new one if it went away meanwhile.
    ///
    /// - Parameters:
    ///   - repeatable: whether the call may be made again when it is not known if it was carried out.
    ///   - creating: whether an environment that is not there is made; otherwise it is `notFound`.
    func withSupervisor<T>(
        _ folder: EnvironmentFolder, repeatable: Bool, creating: Bool = false,
        _ call: (SupervisorClient) async throws -> T
    ) async throws -> T {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let record = try await finder.livingOrStarted(folder, creating: creating)
            do {
                return try await call(SupervisorClient(record: record))
            } catch let error as HTTPClientError {
                let mayRepeat = repeatable || error.code == .connectRefused || error.code == .notFound
                guard mayRepeat, error.code != .timeout, ContinuousClock.now < deadline else {
                    throw RuntimeError(
                        .unavailable, "the supervisor of \(folder.environment) does not answer: \(error.message)",
                        hint: "cat \(folder.supervisorLog)")
                }
                // It is just ending, or was killed; the next look at it tells.
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
