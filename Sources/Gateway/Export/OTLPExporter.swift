import Foundation
import HTTPTransport
import Logging
import Synchronization

/// Sends spans to a collector: in batches, one request at a time, and again where it is worth it. Whatever the collector
/// does, nothing waits for it: the queue is bounded, and what does not fit is dropped and counted.
final class OTLPExporter: Sendable {
    static let maxQueued = 16_384
    static let batch = 512
    private static let pause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(30)
    private static let timeout = Duration.seconds(10)

    private struct State {
        var target: OTLPTarget?
        var queue: [Span] = []
        var counts = ExportCounts()
        var problem: String?
    }

    private enum Outcome {
        case taken(rejected: Int)
        case refused(String)
        /// Worth another try, after so long where the collector says.
        case later(String, after: Duration?)
    }

    private let state: Mutex<State>
    private let version: String
    private let logger: Logger

    init(_ target: OTLPTarget?, version: String, logger: Logger) {
        var state = State()
        state.target = target
        self.state = Mutex(state)
        self.version = version
        self.logger = logger
    }

    var isActive: Bool { state.withLock { $0.target != nil } }
    var counts: ExportCounts { state.withLock { $0.counts } }

    /// What waits goes to the new one; without one it is dropped.
    func direct(to target: OTLPTarget?) {
        state.withLock { state in
            state.target = target
            guard target == nil else { return }
            state.counts.dropped += UInt64(state.queue.count)
            state.queue = []
        }
    }

    /// Those of traces whose head decided against recording are left out.
    func offer(_ spans: [Span]) {
        state.withLock { state in
            guard state.target != nil else { return }
            let wanted = spans.filter(\.isSampled)
            let room = max(0, Self.maxQueued - state.queue.count)
            state.queue += wanted.prefix(room)
            state.counts.dropped += UInt64(max(0, wanted.count - room))
        }
    }

    /// Until cancelled.
    func run() async {
        var wait = Self.pause
        while (try? await Task.sleep(for: wait)) != nil {
            wait = Self.pause
            while !Task.isCancelled, let (target, spans) = next() {
                guard let again = await deliver(spans, to: target) else { continue }
                // Twice as long each time, until something is taken.
                failures.withLock { $0 += 1 }
                let doubled = Self.pause * Int(1 << min(6, failures.withLock { $0 }))
                wait = max(again, min(Self.longestPause, doubled))
                break
            }
        }
    }

    /// One more try for what waits, before the process ends.
    func finish() async {
        guard let (target, spans) = next() else { return }
        _ = await deliver(spans, to: target)
    }

    private let failures = Mutex(0)

    private func next() -> (OTLPTarget, [Span])? {
        state.withLock { state in
            guard let target = state.target, !state.queue.isEmpty else { return nil }
            let spans = Array(state.queue.prefix(Self.batch))
            state.queue.removeFirst(spans.count)
            return (target, spans)
        }
    }

    /// - Returns: how long to wait before the same is tried again; `nil` where it is done with.
    private func deliver(_ spans: [Span], to target: OTLPTarget) async -> Duration? {
        switch await send(spans, to: target) {
        case .taken(let rejected):
            failures.withLock { $0 = 0 }
            state.withLock { state in
                state.counts.exported += UInt64(max(0, spans.count - rejected))
                state.counts.dropped += UInt64(min(spans.count, rejected))
            }
            tell(nil)
            return nil
        case .refused(let reason):
            state.withLock { $0.counts.dropped += UInt64(spans.count) }
            tell(reason)
            return nil
        case .later(let reason, let after):
            // Back to the front, as far as there is room.
            state.withLock { state in
                let room = max(0, Self.maxQueued - state.queue.count)
                state.queue.insert(contentsOf: spans.prefix(room), at: 0)
                state.counts.dropped += UInt64(spans.count - min(room, spans.count))
            }
            tell(reason)
            return min(after ?? .zero, Self.longestPause)
        }
    }

    private func send(_ spans: [Span], to target: OTLPTarget) async -> Outcome {
        var request = HTTPRequest("POST", target.path, body: OTLPEncoding.body(spans, version: version))
        request.fields["host"] = "\(target.host.contains(":") ? "[\(target.host)]" : target.host):\(target.port)"
        request.fields["user-agent"] = "microstax-gateway/\(version)"
        for (name, value) in target.headers { request.fields[name] = value }
        request.fields["content-type"] = "application/json"
        let reply: HTTPFullResponse
        do {
            reply = try await HTTPClient(.tcp(host: target.host, port: target.port)).send(
                request, timeout: Self.timeout, maxResponseBytes: 1 << 20)
        } catch {
            return .later("it does not answer: \(error)", after: nil)
        }
        switch reply.status {
        case 200..<300: return .taken(rejected: Self.rejected(reply.body))
        // OTLP/HTTP Response, "Retryable Response Codes".
        case 429, 502, 503, 504:
            let after = reply.fields["retry-after"].flatMap { Int($0) }.map { Duration.seconds(max(0, $0)) }
            return .later("it answers \(reply.status)", after: after)
        default: return .refused("it answers \(reply.status)")
        }
    }

    private struct Reply: Decodable {
        struct PartialSuccess: Decodable {
            /// A 64-bit number: text in OTLP's JSON, and a number from those who do not know.
            var rejectedSpans: Count?
        }

        struct Count: Decodable {
            var value: Int

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                // The other form is tried.
                if let text = try? container.decode(String.self) {
                    value = Int(text) ?? 0
                } else {
                    value = try container.decode(Int.self)
                }
            }
        }

        var partialSuccess: PartialSuccess?
    }

    private static func rejected(_ body: [UInt8]) -> Int {
        // An answer of another form has rejected nothing.
        let reply = try? JSONDecoder().decode(Reply.self, from: Data(body))
        return max(0, reply?.partialSuccess?.rejectedSpans?.value ?? 0)
    }

    /// Logs what is new.
    private func tell(_ problem: String?) {
        let last = state.withLock { state in
            defer { state.problem = problem }
            return state.problem
        }
        guard last != problem else { return }
        if let problem {
            logger.warning("the collector takes no spans", metadata: ["reason": "\(problem)"])
        } else {
            logger.info("the collector takes spans again")
        }
    }
}

/// What became of the spans that were to be sent to a collector, since the gateway started.
package struct ExportCounts: Sendable, Hashable, Codable {
    package var exported: UInt64 = 0
    /// Refused by it, or for want of room while it took none.
    package var dropped: UInt64 = 0
}
