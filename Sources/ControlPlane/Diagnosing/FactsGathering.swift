import Blueprints
import Diagnosis
import EnvironmentGraph
import Foundation
import Glibc
import Orchestration
import Runtimes
import Storage

/// Looks at everything that a diagnosis goes by, within limits of time and size, and changes nothing.
struct FactsGathering: Sendable {
    /// Lines of a service in trouble, and of one that is well.
    static let lines = 160
    static let linesOfHealthy = 20
    /// Services whose logs are read, those in trouble first.
    static let services = 60

    let store: any Store
    let runtime: any Runtime
    let board: StatusBoard
    let gateway: GatewayKeeper
    let now: Int64

    func facts(of picture: EnvironmentPicture) async throws -> Facts {
        let record = picture.record
        let (executions, deviations) = try await store.read { store in
            (try store.executions(of: record.id).suffix(5), try store.deviations(of: record.id))
        }
        var facts = Facts(now: now, environment: record, executions: Array(executions))
        facts.deviations = deviations.map {
            DeviationFact(
                kind: $0.kind.rawValue, service: $0.service, message: $0.message, remedy: $0.remedy,
                isOpen: $0.state == .open)
        }
        facts.addresses = picture.ports.compactMap { assignment in
            guard case .address(let caller, let service, _) = assignment.purpose else { return nil }
            return AddressFact(caller: caller, service: service, port: assignment.number)
        }
        facts.ancestors = picture.lineage.environments.dropFirst().map(ancestor)
        facts.machine = machine()
        await addRuntime(to: &facts, picture.ports)
        await addGateway(to: &facts, Set(picture.ports.map(\.number)))
        return facts
    }

    // MARK: The runtime

    private func addRuntime(to facts: inout Facts, _ ports: [PortAssignment]) async {
        let id = facts.environment.id
        var statuses = board.statuses(of: id)
        var inspection = WorkloadInspection()
        // What does not run is not looked for; a supervisor would be started for the question.
        if facts.environment.state != .stopped {
            do {
                statuses = try await runtime.observe(id)
                inspection = try await runtime.inspect(id)
            } catch {
                facts.runtimeProblem = "\(error)"
            }
        }
        facts.sockets = inspection.sockets.map {
            SocketFact(address: $0.address, port: $0.port, pid: $0.pid, program: $0.program, service: $0.service)
        }
        facts.services = facts.environment.localServices.map { spec in
            service(spec, statuses.first { $0.service == spec.name }, ports, inspection)
        }
        let order = facts.services.indices.sorted { a, b in
            let (x, y) = (facts.services[a].state != .ready, facts.services[b].state != .ready)
            return x != y ? x : a < b
        }
        for index in order.prefix(Self.services) where facts.services[index].state != .absent {
            facts.services[index].log = await log(of: facts.services[index], id)
        }
    }

    private func service(
        _ spec: ServiceSpec, _ status: WorkloadStatus?, _ ports: [PortAssignment], _ inspection: WorkloadInspection
    ) -> ServiceFacts {
        let given = spec.ports.compactMap { port -> GivenPort? in
            let number = ports.first { $0.purpose == .service(spec.name, port: port.name) }?.number
            return number.map { GivenPort(name: port.name, number: $0) }
        }
        let program = inspection.programs[spec.name].map {
            ProgramFact(path: $0.path, isExecutable: $0.isExecutable)
        }
        guard let status else { return ServiceFacts(spec: spec, state: .absent, ports: given, program: program) }
        return ServiceFacts(
            spec: spec, state: ServiceFacts.State(status.state),
            message: status.message, exitCode: status.exitCode, restarts: status.restarts, pid: status.pid,
            since: status.since, lastOutput: status.lastOutput, ports: given, program: program)
    }

    private func log(of service: ServiceFacts, _ id: EnvironmentID) async -> [OutputLine] {
        let tail = service.state == .ready && service.restarts == 0 ? Self.linesOfHealthy : Self.lines
        var lines: [OutputLine] = []
        do {
            for try await line in runtime.logs(of: id, LogQuery(services: [service.name], tail: tail)) {
                lines.append(
                    OutputLine(
                        time: line.time, isEvent: line.stream == .event, isBuild: line.stream == .build,
                        text: String(line.text.prefix(2000))))
            }
        } catch {
            // What was read so far still says something; the status says more.
            return lines
        }
        return lines
    }

    // MARK: Around it

    private func ancestor(_ record: EnvironmentRecord) -> AncestorFacts {
        let statuses = board.statuses(of: record.id)
        return AncestorFacts(
            record: record,
            services: statuses.reduce(into: [:]) { $0[$1.service] = $1.state.rawValue },
            messages: statuses.reduce(into: [:]) { $0[$1.service] = $1.message })
    }

    private func addGateway(to facts: inout Facts, _ mine: Set<Int>) async {
        let look = await gateway.look()
        facts.gateway.problem = look.problem
        guard look.problem == nil else { return }
        facts.gateway.refused = look.refused.filter { mine.contains($0.key) }
        // It answered a moment ago; what it counted is a detail.
        let counts = (try? await gateway.counts()) ?? []
        let id = facts.environment.id
        facts.gateway.errors = counts.compactMap { count in
            guard let error = count.error, count.callerEnvironment == id || count.context == id else { return nil }
            return GatewayFacts.ErrorCount(
                error: error, caller: count.caller, service: count.service, count: count.count)
        }.sorted { $0.count > $1.count }
        facts.gateway.leaks = counts.compactMap { count in
            guard let leak = count.leak, count.callerEnvironment == id else { return nil }
            return GatewayFacts.LeakCount(
                caller: count.caller, service: count.service, isRestored: leak == .restored, count: count.count)
        }.sorted { $0.count > $1.count }
    }

    private func machine() -> MachineFacts {
        var facts = MachineFacts(stateFolder: gateway.stateFolder)
        var disk = statvfs()
        if statvfs(facts.stateFolder, &disk) == 0 {
            facts.freeBytes = UInt64(disk.f_bavail) * UInt64(disk.f_frsize)
            // Some file systems count no files.
            facts.freeFiles = disk.f_files == 0 ? nil : UInt64(disk.f_favail)
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            facts.openFilesLimit = UInt64(limit.rlim_cur)
        }
        return facts
    }
}

extension ServiceFacts.State {
    init(_ state: WorkloadStatus.State) {
        self =
            switch state {
            case .pending: .pending
            case .building: .building
            case .starting: .starting
            case .ready: .ready
            case .unhealthy: .unhealthy
            case .restarting: .restarting
            case .stopped: .stopped
            case .failed: .failed
            }
    }
}
