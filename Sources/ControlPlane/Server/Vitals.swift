import Synchronization

/// Whether the parts that the server consists of make progress: each is asked again and again, and what counts is when it
/// last answered. A part that hangs is asked once and never again until it answers, so nothing piles up behind it.
package final class Vitals: Sendable {
    package struct Organ: Sendable {
        package var name: String
        /// Returns when the part has answered; throws where it did not.
        package var ask: @Sendable () async throws -> Void

        package init(_ name: String, ask: @escaping @Sendable () async throws -> Void) {
            self.name = name
            self.ask = ask
        }
    }

    private let organs: [Organ]
    private let period: Duration
    private let answered: Mutex<[String: ContinuousClock.Instant]>

    /// - Parameter period: the pause between two questions to one part.
    package init(_ organs: [Organ], period: Duration) {
        self.organs = organs
        self.period = period
        // Nobody was asked yet, so nobody is late.
        answered = Mutex(Dictionary(uniqueKeysWithValues: organs.map { ($0.name, ContinuousClock.now) }))
    }

    /// Asks until cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for organ in organs {
                group.addTask {
                    repeat {
                        do {
                            try await organ.ask()
                            self.answered.withLock { $0[organ.name] = ContinuousClock.now }
                        } catch {
                            // Not answered: the time of its last answer says so.
                        }
                        // Cancelled: the asking is over.
                    } while (try? await Task.sleep(for: self.period)) != nil
                }
            }
        }
    }

    /// The parts that have not answered for this long, in the order that they were given.
    package func silent(for limit: Duration) -> [String] {
        let now = ContinuousClock.now
        let answered = answered.withLock { $0 }
        return organs.map(\.name).filter { name in answered[name].map { now - $0 > limit } ?? true }
    }
}
