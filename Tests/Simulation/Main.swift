import Foundation
import Logging
import SimulatedRuntime

/// `simulation <first seed> <count>`: runs that many random histories and reports each one that broke a law.
///
/// `MICROSTAX_SIMULATE_SEED=<n>` repeats one run and prints everything that happens in it.
@main
struct Main {
    static func main() throws {
        let environment = ProcessInfo.processInfo.environment
        // Sets and dictionaries must have the same order in every run; that is decided when a process starts.
        guard environment["SWIFT_DETERMINISTIC_HASHING"] == "1" else {
            setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
            let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
            execv("/proc/self/exe", arguments)
            throw SerialLoop.MissingHook(name: "execv")
        }
        LoggingSystem.bootstrap({ @Sendable _ in SwiftLogNoOpLogHandler() })
        let loop = SerialLoop()
        try loop.install()

        if let text = environment["MICROSTAX_SIMULATE_SEED"], let seed = UInt64(text) {
            let isRight = try simulate(seed, loop, isTraced: true)
            History.cleanUp()
            exit(isRight ? 0 : 1)
        }
        let numbers = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
        let (first, count) = (numbers.first ?? 1, numbers.dropFirst().first ?? 100)
        let start = ContinuousClock.now
        var broken = 0
        for seed in first..<(first + count) where try !simulate(seed, loop, isTraced: false) { broken += 1 }
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        let rate = Int(Double(count) / elapsed)
        print("\(count) runs from seed \(first), \(broken) broken, \(rate) runs/s; \(Totals.shared)")
        History.cleanUp()
        exit(broken == 0 ? 0 : 1)
    }

    private static func simulate(_ seed: UInt64, _ loop: SerialLoop, isTraced: Bool) throws -> Bool {
        let history = try History(seed: seed, isTraced: isTraced)
        let task = Task { await history.play() }
        let ended = loop.run(history.clock, seed: seed ^ 0x5EED, limit: 400_000) { history.isOver }
        task.cancel()
        var broken = history.laws.broken
        if !ended { broken.append("the run did not come to its end: \(history.whereabouts)") }
        guard !broken.isEmpty else { return true }
        print("seed \(seed) broke \(broken.count) law(s):")
        for line in broken.prefix(12) { print("  \(line)") }
        print("  repeat it: MICROSTAX_SIMULATE_SEED=\(seed) make simulate")
        fflush(nil)
        return false
    }
}
