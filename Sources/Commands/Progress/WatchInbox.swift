import API
import APIClient
import Synchronization

/// What came in for a ``Watch`` while it was busy, for one reader; a terminal that is stopped (Ctrl-S) keeps it busy for
/// as long as it likes. Ticks take no room, and what ends the watching is never dropped.
final class WatchInbox: Sendable {
    enum End: Sendable {
        /// The environment is not there (any more).
        case absent(APIFailure)
        case timedOut
        case interrupted
        case broken(any Error)
    }

    struct Contents: Sendable {
        /// In order.
        var events: [EventView] = []
        var notes: [String] = []
        var hasTicked = false
        /// The first that came; what stands beside it came before.
        var end: End?
    }

    /// Each event is a whole state, so dropping the oldest loses nothing.
    static let eventLimit = 256
    /// Remarks beyond it are dropped.
    static let noteLimit = 16

    /// Yields after something was put in; several times may count as one.
    let arrivals: AsyncStream<Void>
    private let bell: AsyncStream<Void>.Continuation
    private let contents = Mutex(Contents())

    init() {
        (arrivals, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func put(_ event: EventView) {
        change {
            $0.events.append(event)
            if $0.events.count > Self.eventLimit { $0.events.removeFirst() }
        }
    }

    func put(note: String) {
        change { if $0.notes.count < Self.noteLimit { $0.notes.append(note) } }
    }

    func tick() { change { $0.hasTicked = true } }

    func end(_ end: End) { change { $0.end = end } }

    /// Empties it.
    func take() -> Contents {
        contents.withLock { contents in
            defer { contents = Contents(end: contents.end) }
            return contents
        }
    }

    /// After the end, nothing is taken in any more.
    private func change(_ body: (inout Contents) -> Void) {
        contents.withLock { if $0.end == nil { body(&$0) } }
        bell.yield()
    }
}
