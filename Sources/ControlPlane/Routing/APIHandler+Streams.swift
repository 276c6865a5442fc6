import API
import EnvironmentGraph
import Foundation
import HTTPTransport
import Orchestration
import Runtimes

extension APIHandler {
    /// Server-sent events: the state now and after every change; ends when the environment is gone.
    func events(_ named: String) async throws -> HTTPResponse {
        let id = try await operations.picture(of: named).record.id
        let fields = HTTPFields([
            (name: "content-type", value: "text/event-stream"), (name: "cache-control", value: "no-store"),
        ])
        return HTTPResponse(
            status: 200, fields: fields,
            body: .stream(
                stream { yield in
                    var last: EventView?
                    for await _ in operations.board.changes(of: id) {
                        let event = try await event(id, after: last)
                        if let event, event != last {
                            let data = try JSONEncoder().encode(event)
                            yield(
                                ServerSentEvents.encode(
                                    event: "environment", id: nil, data: String(decoding: data, as: UTF8.self)))
                            last = event
                        }
                        if event == nil || event?.environment.state == EnvironmentState.deleted.rawValue { return }
                    }
                }), isEndless: true)
    }

    private func event(_ id: EnvironmentID, after last: EventView?) async throws -> EventView? {
        let execution = try await operations.lastExecution(of: id)
        do {
            return EventView(environment: try await operations.view(of: id.rawValue), execution: execution)
        } catch let problem as APIProblem where problem.code == .notFound {
            guard var gone = last?.environment else { return nil }
            // The record goes in the last step; the execution's own end follows at once.
            guard execution?.isFinal == true else { return last }
            gone.state = EnvironmentState.deleted.rawValue
            gone.message = nil
            gone.services = []
            gone.endpoints = []
            return EventView(environment: gone, execution: execution)
        }
    }

    /// JSON lines, oldest first.
    func logs(_ named: String, _ call: APICall) async throws -> HTTPResponse {
        let query = call.request.query
        let picture = try await operations.picture(of: named)
        let services = (query["service"] ?? "").split(separator: ",").map(String.init)
        for service in services { try Self.checkHasLogs(service, picture) }
        let log = LogQuery(
            services: services, follow: try call.flag("follow"), tail: try Self.number("tail", query),
            since: try query["since"].map { try Self.time($0) }, previous: try call.flag("previous"))
        guard !log.follow || !log.previous else {
            throw APIProblem(.invalidRequest, "previous shows a run that has ended; it cannot be followed")
        }
        let lines = operations.runtime.logPages(of: picture.record.id, log)
        let fields = HTTPFields([(name: "content-type", value: "application/x-ndjson")])
        let pages = LogPages(lines)
        return HTTPResponse(
            status: 200, fields: fields, body: .stream(AsyncThrowingStream { try await pages.next() }),
            isEndless: log.follow)
    }

    private static func checkHasLogs(_ service: String, _ picture: EnvironmentPicture) throws {
        guard picture.lineage.services.contains(service) else {
            throw APIProblem(
                .notFound, "\(picture.record.name) has no service \(shortened(service))",
                hint: "there is: \(picture.lineage.services.joined(separator: ", "))")
        }
        let provider = picture.lineage.resolve(service).provider
        if let provider, provider.environment != picture.record.id {
            throw APIProblem(
                .conflict, "\(service) is inherited: its copy runs in \(provider.name)",
                hint: "microstax env logs \(provider.name) --service \(service)")
        }
    }

    /// RFC 3339, or milliseconds since 1970.
    static func time(_ text: String, named name: String = "since") throws -> Int64 {
        if let number = Int64(text), number >= 0 { return number }
        for fractional in [false, true] {
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: fractional)
            // The other style is tried, then the text is refused.
            if let date = try? style.parse(text) { return Int64((date.timeIntervalSince1970 * 1000).rounded()) }
        }
        throw APIProblem(.invalidRequest, "\(name) is a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970")
    }

    static func number(_ name: String, _ query: [String: String]) throws -> Int? {
        guard let text = query[name] else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw APIProblem(.invalidRequest, "\(name) is a number that is not negative")
        }
        return number
    }

    /// A body that `produce` writes piece by piece; it is cancelled when the client goes away.
    private func stream(
        _ produce: @escaping @Sendable (@Sendable ([UInt8]) -> Void) async throws -> Void
    ) -> AsyncThrowingStream<[UInt8], any Error> {
        // Every event is a whole state, so a slow reader loses nothing by missing those between.
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingNewest(1))
        // Ended by the stream's termination, or by itself.
        let task = Task {
            do {
                try await produce { continuation.yield($0) }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }
}

/// Log lines as they are pulled, so that a slow reader of a large log costs no memory.
private actor LogPages {
    private var pages: AsyncThrowingStream<[LogLine], any Error>.Iterator
    private var json = LogLineJSON()

    init(_ pages: AsyncThrowingStream<[LogLine], any Error>) { self.pages = pages.makeAsyncIterator() }

    /// Lines of JSON; `nil` at the end.
    func next() async throws -> [UInt8]? {
        var iterator = pages
        defer { pages = iterator }
        guard let page = try await iterator.next(isolation: self) else { return nil }
        var bytes: [UInt8] = []
        for line in page { json.append(line, to: &bytes) }
        return bytes
    }
}
