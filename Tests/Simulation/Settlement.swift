import Blueprints
import EnvironmentGraph
import Runtimes
import SimulatedRuntime
import SimulatedStore
import Storage

/// What must be true when nothing goes wrong any more and everybody has had time.
struct Settlement {
    private let tables: Tables
    private let runtime: SimulatedRuntime
    private let book: Book

    init(_ world: World, _ book: Book) {
        tables = world.store.committed
        runtime = world.runtime
        self.book = book
    }

    var problems: [String] {
        executions + tables.environments.values.sorted { $0.name < $1.name }.flatMap(environment) + orphans
            + acknowledged + initialisers
    }

    /// What is there although every environment was deleted.
    var remains: [String] {
        tables.environments.values.map { "\($0.name) in state \($0.state): \($0.message ?? "")" }
            + tables.ports.keys.sorted().map { "port \($0)" }
            + tables.secrets.filter { !$0.value.isEmpty }.map { "secrets of \($0.key)" }
            + tables.revisions.filter { !$0.value.isEmpty }.map { "revisions of \($0.key)" }
            + runtime.places.map { "the runtime has something of \($0)" } + executions + acknowledged + initialisers
    }

    private var executions: [String] {
        tables.sortedExecutions.filter { !$0.state.isFinal }.map { execution in
            let open = execution.steps.filter { ![.succeeded, .pending].contains($0.state) }.map { step in
                "\(step.plan.key) \(step.state)\(step.message.map { " \"\($0)\"" } ?? "")"
            }
            return "\(execution.kind) \(execution.id) of \(execution.environment) is \(execution.state): \(open)"
        }
    }

    private func environment(_ record: EnvironmentRecord) -> [String] {
        let last = tables.sortedExecutions.last { $0.environment == record.id }
        let running = runtime.running(in: record.id)
        switch record.state {
        case .running:
            let wanted = Dictionary(
                uniqueKeysWithValues: record.localServices.flatMap { service in
                    service.instances.map { ($0, record.generation(of: service.name)) }
                })
            var problems = running == wanted ? [] : ["\(record.name) is running, wants \(wanted) and has \(running)"]
            let statuses = runtime.statuses(of: record.id)
            // A stranger that failed runs no more.
            problems += statuses.filter {
                $0.state != .ready && $0.state != .stopped && ($0.state != .failed || wanted[$0.service] != nil)
            }.map {
                "\(record.name) is running and its \($0.service) is \($0.state)"
            }
            let open = tables.deviations.filter { $0.environment == record.id && $0.state == .open }
            problems += open.map { "\(record.name) is running and has an open deviation: \($0.message)" }
            let lost = record.madeVolumes.filter {
                !runtime.volumes(of: record.id).contains("\($0.service)/\($0.volume)")
            }
            return problems + lost.map { "\(record.name) is running without the volume of \($0.service)" }
        case .degraded:
            let isRight = runtime.statuses(of: record.id).contains { $0.state == .failed }
            return isRight ? [] : ["\(record.name) is degraded without a reason: \(record.message ?? "")"]
        case .stopped:
            return running.isEmpty ? [] : ["\(record.name) is stopped and runs \(running.keys.sorted())"]
        case .error:
            let isRight = last?.state == .failed && last?.error != nil
            return isRight
                ? [] : ["\(record.name) is in error, but its last execution is \(last?.state.rawValue ?? "none")"]
        default:
            return ["\(record.name) rests in state \(record.state)"]
        }
    }

    private var orphans: [String] {
        runtime.places.filter { tables.environments[$0] == nil }.map {
            "the runtime has something of \($0), which is gone"
        }
    }

    /// What was acknowledged took effect, or failed with its reason, or gave way to something that came after it.
    private var acknowledged: [String] {
        book.acknowledged.compactMap { promise in
            guard let execution = tables.executions[promise.execution]?.record else {
                return "\(promise.command) was acknowledged, and \(promise.execution) is not there"
            }
            switch execution.state {
            case .succeeded, .undone: return nil
            case .failed: return execution.error == nil ? "\(promise.command) failed without a reason" : nil
            case .cancelled:
                let isSuperseded = tables.executions.values.contains { other in
                    other.record.environment == execution.environment && other.record.id != execution.id
                        && other.record.createdAt >= execution.createdAt
                }
                return isSuperseded
                    ? nil : "\(promise.command) (\(execution.id)) was cancelled and nothing came after it"
            case .pending, .running, .compensating: return nil
            }
        }
    }

    /// A command whose outcome nobody knows is not run again unless somebody allowed it; a script never takes effect twice.
    private var initialisers: [String] {
        var counts: [String: Int] = [:]
        var problems: [String] = []
        for effect in runtime.journal {
            let place = "\(effect.environment) \(effect.service)"
            switch effect.kind {
            case .ran(let command, let data):
                counts["\(place) \(data) \(command.joined(separator: " "))", default: 0] += 1
            case .applied(let script, let data):
                let key = "\(place) \(data) \(script)"
                counts[key, default: 0] += 1
                if counts[key] == 2 { problems.append("\(script) was applied twice") }
            default: break
            }
        }
        for (what, count) in counts.sorted(by: { $0.key < $1.key }) where count > 1 {
            let environment = String(what.prefix { $0 != " " })
            if count > 1 + book.repeatsAllowed(of: environment) {
                problems.append("\(what) took effect \(count) times, unseen")
            }
        }
        for record in tables.environments.values where record.state == .running {
            for service in record.localServices where service.replicas > 0 {
                for (index, initialiser) in service.initialisers.enumerated() {
                    guard case .command(let command) = initialiser else { continue }
                    let data = runtime.data(of: service.name, in: record.id) ?? ""
                    if counts["\(record.id) \(service.name) \(data) \(command.joined(separator: " "))"] == nil {
                        problems.append("\(record.name) is running without init \(index) of \(service.name)")
                    }
                }
            }
        }
        return problems
    }
}
