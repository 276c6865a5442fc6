import NIOCore
import Synchronization

/// The connections of one server: how many there may be, and their common end.
final class HTTPServerConnections: Sendable {
    enum Admission {
        case admitted
        /// Over the limit: to be told so with a 503.
        case overloaded
        /// The server stops, or too many are being told already: to be closed without a word.
        case refused
    }

    /// How many connections over the limit get an answer at the same time.
    private static let maxOverloaded = 64

    private struct State {
        var open: [ObjectIdentifier: (connection: HTTPServerConnection, overloaded: Bool)] = [:]
        var overloaded = 0
        var drained: EventLoopPromise<Void>?
        var stopping = false
    }

    private let maxConnections: Int
    private let state = Mutex(State())

    init(maxConnections: Int) { self.maxConnections = maxConnections }

    func admit(_ connection: HTTPServerConnection) -> Admission {
        state.withLock { state in
            if state.stopping { return .refused }
            let overloaded = state.open.count - state.overloaded >= maxConnections
            if overloaded && state.overloaded >= Self.maxOverloaded { return .refused }
            if overloaded { state.overloaded += 1 }
            state.open[ObjectIdentifier(connection)] = (connection, overloaded)
            return overloaded ? .overloaded : .admitted
        }
    }

    /// The connection is closed and its handler has ended.
    func remove(_ connection: HTTPServerConnection) {
        let drained: EventLoopPromise<Void>? = state.withLock { state in
            guard let entry = state.open.removeValue(forKey: ObjectIdentifier(connection)) else { return nil }
            if entry.overloaded { state.overloaded -= 1 }
            guard state.open.isEmpty, let drained = state.drained else { return nil }
            state.drained = nil
            return drained
        }
        drained?.succeed(())
    }

    /// Ends idle connections and endless streams now, the others with their response, after `deadline` all of them by force; a handler that
    /// ignores its cancellation is waited for two seconds more and then left behind.
    func stop(within deadline: Duration, on loop: any EventLoop) async {
        let drained = loop.makePromise(of: Void.self)
        let open: [HTTPServerConnection] = state.withLock { state in
            state.stopping = true
            if !state.open.isEmpty { state.drained = drained }
            return state.open.values.map(\.connection)
        }
        if open.isEmpty { drained.succeed(()) }
        for connection in open { connection.stopGracefully() }
        let force = loop.scheduleTask(in: TimeAmount(deadline)) {
            for connection in self.remaining { connection.stopNow() }
        }
        let abandon = loop.scheduleTask(in: TimeAmount(deadline) + .seconds(2)) {
            let promise = self.state.withLock { state in
                defer { state.drained = nil }
                return state.drained
            }
            promise?.succeed(())
        }
        // The promise is only ever succeeded.
        try? await drained.futureResult.get()
        force.cancel()
        abandon.cancel()
    }

    private var remaining: [HTTPServerConnection] { state.withLock { $0.open.values.map(\.connection) } }
}
