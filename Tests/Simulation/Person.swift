import Blueprints
import EnvironmentGraph
import Foundation
import HTTPTransport
import SimulatedRuntime
import SimulatedStore

/// Somebody with a command line: asks, reads the answer, and asks again with the same key where none came.
struct Person: Sendable {
    let history: History
    let number: Int

    private var random: SeededRandom { history.world.random }
    private var tables: Tables { history.world.store.committed }

    private struct Accepted: Decodable {
        struct Data: Decodable {
            struct Environment: Decodable { var id: String }
            struct Execution: Decodable { var id: String }
            var environment: Environment
            var execution: Execution?
        }
        var data: Data
    }

    func work() async {
        for _ in 0..<random.number(2...10) {
            await history.pause(random.chance(0.3) ? 0...20 : 0...3_000)
            if tables.environments.isEmpty || random.chance(0.3) { await create() } else { await change() }
        }
    }

    /// Leaves first; what is refused is asked for again, because work may still be going on.
    func deleteEverything() async {
        for _ in 0..<200 where !tables.environments.isEmpty {
            let parents = Set(tables.environments.values.compactMap(\.parent?.id))
            let leaves = tables.environments.values.filter { !parents.contains($0.id) }.map(\.name).sorted()
            for name in leaves { await ask("DELETE", "/v1/environments/\(name)", nil, "delete \(name)") }
            await history.pause(5_000...5_000)
        }
    }

    // MARK: Commands

    private func create() async {
        let blueprints = RandomBlueprint(random: random)
        let parents = tables.environments.values.filter { $0.mode != .isolated }.map(\.name).sorted()
        let overlayOf = random.chance(0.6) ? random.pick(parents) : nil
        let suffix = random.number(1...3)
        let path: String
        let name: String
        let content: (text: String, files: [String: String])
        if let overlayOf {
            (path, name) = ("/v1/baselines/\(overlayOf)/overlays", "ov-\(suffix)")
            content = blueprints.overlay(name)
        } else if random.chance(0.6) {
            (path, name) = ("/v1/baselines", "base-\(suffix)")
            content = blueprints.whole(name)
        } else {
            (path, name) = ("/v1/environments", "iso-\(suffix)")
            content = blueprints.whole(name)
        }
        var body: [String: Any] = ["blueprint": content.text, "folder": "/", "files": content.files]
        if random.chance(0.5) { body["allow"] = ["unhealthy-parent"] }
        await ask("POST", path, body, "create \(name)\(overlayOf.map { " on \($0)" } ?? "")")
    }

    private static let commands: [EnvironmentCommand] = [
        .stop, .resume, .restart, .scale, .update, .retry, .undo, .delete,
    ]

    private func change() async {
        let records = tables.environments.values.sorted { $0.name < $1.name }
        guard let record = random.pick(records) else { return }
        var possible = Self.commands.filter { $0.allowedStates.contains(record.state) }
        if possible.isEmpty || random.chance(0.15) { possible = Self.commands }
        // Deleting is always possible, and would otherwise be most of what happens.
        if possible.count > 1, random.chance(0.6) { possible.removeAll { $0 == .delete } }
        guard let command = random.pick(possible) else { return }
        let what = "\(command.rawValue) \(record.name)"
        switch command {
        case .delete: await ask("DELETE", "/v1/environments/\(record.name)", nil, what)
        case .undo where random.chance(0.3):
            let last = tables.sortedExecutions.last { $0.environment == record.id }
            await ask("POST", "/v1/executions/\(last?.id.rawValue ?? "none")/cancel", nil, "cancel on \(record.name)")
        case .undo, .stop:
            await ask("POST", "/v1/environments/\(record.name)/\(command.rawValue)", allowing([]), what)
        case .restart:
            let services = random.pick(record.localServices.map(\.name)).map { random.chance(0.7) ? [$0] : [] } ?? []
            await ask("POST", "/v1/environments/\(record.name)/restart", ["services": services], what)
        case .scale:
            let free = record.localServices.filter { $0.volumes.isEmpty }.map(\.name)
            guard let service = random.pick(free) else { break }
            let count = random.number(0...3)
            await ask(
                "POST", "/v1/environments/\(record.name)/scale", ["replicas": [service: count]],
                "\(what) \(service)=\(count)")
        case .update:
            let blueprints = RandomBlueprint(random: random)
            let content = record.parent == nil ? blueprints.whole(record.name) : blueprints.overlay(record.name)
            var body: [String: Any] = ["blueprint": content.text, "folder": "/", "files": content.files]
            if random.chance(0.3) {
                history.book.repeatAllowed(record.id.rawValue)
                body["allow"] = ["repeat-unknown"]
            }
            await ask("POST", "/v1/environments/\(record.name)/revisions", body, what)
        case .retry, .resume:
            let mayRepeat = random.chance(0.4)
            if mayRepeat { history.book.repeatAllowed(record.id.rawValue) }
            await ask(
                "POST", "/v1/environments/\(record.name)/\(command.rawValue)",
                allowing(mayRepeat ? ["repeat-unknown"] : []), what)
        }
    }

    private func allowing(_ more: [String]) -> [String: Any] {
        ["allow": (random.chance(0.5) ? ["unhealthy-parent"] : []) + more]
    }

    // MARK: Asking

    private func ask(_ method: String, _ path: String, _ body: [String: Any]?, _ what: String) async {
        var request = HTTPRequest(method, path)
        if let body, let bytes = try? JSONSerialization.data(withJSONObject: body, options: .sortedKeys) {
            request.body = Array(bytes)
        }
        if method == "POST" { request.fields["idempotency-key"] = "key-\(history.world.tokens.next())" }
        for _ in 0..<5 {
            history.trace.note("person \(number): \(what)")
            let response = await history.server().answer(request)
            if let response {
                note(response, what)
                return
            }
            history.trace.note("person \(number): no answer to \(what)")
            guard random.chance(0.7) else { return }
            await history.pause(0...1_000)
        }
    }

    private func note(_ response: HTTPResponse, _ what: String) {
        guard case .bytes(let bytes) = response.body else { return }
        history.trace.note(
            "person \(number): \(response.status) to \(what)"
                + (response.status < 300 ? "" : ": \(String(decoding: bytes.prefix(200), as: UTF8.self))"))
        guard response.status == 202 else { return }
        guard let reply = try? JSONDecoder().decode(Accepted.self, from: Data(bytes)),
            let execution = reply.data.execution
        else {
            history.laws.isBroken("a 202 names no execution: \(String(decoding: bytes.prefix(300), as: UTF8.self))")
            return
        }
        history.book.note(
            Book.Acknowledged(
                execution: ExecutionID(rawValue: execution.id),
                environment: EnvironmentID(rawValue: reply.data.environment.id), command: what))
    }
}
