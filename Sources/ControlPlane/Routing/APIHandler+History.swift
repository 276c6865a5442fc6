import API
import EnvironmentGraph
import Foundation
import HTTPTransport
import Orchestration
import Storage

extension APIHandler {
    func patch(_ call: APICall) async throws -> HTTPResponse {
        try call.refuseParameters()
        let request = try call.decode(PatchRequest.self)
        return call.reply(data: try await operations.patch(call.parameters[0], request, call))
    }

    /// What happened to an environment: a list, or with `follow` JSON lines that go on with what comes.
    func history(_ named: String, _ call: APICall) async throws -> HTTPResponse {
        try call.refuseParameters(except: "after", "since", "limit", "follow", "cursor")
        let query = call.request.query
        let limit = min(
            try Self.number("limit", query) ?? EventRecord.keptPerEnvironment, EventRecord.keptPerEnvironment)
        let since = try query["since"].map { try Self.time($0) } ?? 0
        let after = try Self.number("after", query).map(Int64.init)
        let id = try await operations.historic(named)
        let found = try await store.read { store in
            // All that is kept, as a time can be anywhere in it.
            try store.events(of: id, after: after, limit: EventRecord.keptPerEnvironment).filter { $0.time >= since }
                .suffix(limit)
        }
        guard try call.flag("follow") else { return call.reply(data: found.map { HistoryView($0) }) }
        let last = try await store.read { try $0.events(of: id, after: nil, limit: 1).last?.sequence }
        let pages = HistoryPages(
            id: id, store: store, outside: outside, ready: Array(found),
            after: found.last?.sequence ?? last ?? after ?? 0)
        return HTTPResponse(
            status: 200, fields: HTTPFields([(name: "content-type", value: "application/x-ndjson")]),
            body: .stream(AsyncThrowingStream { try await pages.next() }), isEndless: true)
    }
}

extension EnvironmentOperations {
    /// An environment that is there, or the last one of that name or id that was.
    func historic(_ named: String) async throws -> EnvironmentID {
        let id = EnvironmentID(rawValue: named)
        let found = try await store.read { store -> EnvironmentID? in
            if let record = try store.environment(named: named) ?? store.environment(id) { return record.id }
            if try !store.events(of: id, after: nil, limit: 1).isEmpty { return id }
            // By name, it is looked for among what happened lately.
            return try store.events(of: nil, after: nil, limit: 10_000).last { $0.name == named }?.environment
        }
        if let found { return found }
        // Throws, with the names that there are.
        return try await picture(of: named).record.id
    }
}

/// What happened, as it is pulled: a slow reader loses nothing and costs no memory.
private actor HistoryPages {
    private let id: EnvironmentID
    private let store: any Store
    private let outside: Outside
    private var ready: [EventRecord]
    private var after: Int64

    init(id: EnvironmentID, store: any Store, outside: Outside, ready: [EventRecord], after: Int64) {
        self.id = id
        self.store = store
        self.outside = outside
        self.ready = ready
        self.after = after
    }

    /// Some lines of JSON; `nil` when the environment is gone and everything was said.
    func next() async throws -> [UInt8]? {
        while ready.isEmpty {
            let (id, after) = (id, after)
            let (found, isGone) = try await store.read { store in
                let isGone = try store.environment(id) == nil && store.lastExecution(of: id)?.state.isFinal ?? true
                return (try store.events(of: id, after: after, limit: 100), isGone)
            }
            ready = found
            if ready.isEmpty {
                if isGone { return nil }
                // Asking is one look into an index, and whoever notes an event need not know who listens.
                try await outside.sleep(.milliseconds(250))
            }
        }
        after = ready.last?.sequence ?? after
        defer { ready = [] }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try ready.flatMap { Array(try encoder.encode(HistoryView($0))) + [UInt8(ascii: "\n")] }
    }
}

extension HistoryView {
    init(_ event: EventRecord) {
        self.init(
            sequence: event.sequence, time: timestamp(event.time), environment: event.environment.rawValue,
            name: event.name, kind: event.kind.rawValue, service: event.service, actor: event.actor,
            message: event.message)
    }
}
