import ControlPlane
import EnvironmentGraph
import Foundation
import Runtimes
import SimulatedRuntime
import SimulatedStore
import Storage
import Synchronization

/// One random history from one seed: people and faults at work for a while, then quiet, in which everything must come to
/// where it should be, and at last everything is deleted, of which nothing may be left.
final class History: Sendable {
    let clock: SimulatedClock
    let world: World
    let laws = Laws()
    let book = Book()
    let trace: Trace

    private struct State {
        var server: SimulatedServer?
        var isOver = false
        var isQuiet = false
        var phase = "beginning"
    }

    private let state = Mutex(State())

    init(seed: UInt64, isTraced: Bool) throws {
        let clock = SimulatedClock()
        self.clock = clock
        let random = SeededRandom(seed: seed)
        let trace = Trace(clock: clock, isOn: isTraced)
        self.trace = trace
        let store = MemoryStore { [laws] before, after in
            laws.check(before, after)
            trace.commit(before, after)
        }
        world = World(
            clock: clock, random: random, runtime: SimulatedRuntime(clock: clock, random: random), store: store,
            box: try SecretBox(keyFile: Self.keyFile))
    }

    /// Sealed values differ from run to run; nothing that happens depends on them.
    private static let keyFile = NSTemporaryDirectory() + "microstax-simulation-\(getpid()).key"

    static func cleanUp() { unlink(keyFile) }

    var isOver: Bool { state.withLock { $0.isOver } }

    var whereabouts: String {
        "\(state.withLock { $0.phase }) at \(clock.elapsedMicroseconds / 1000) ms; "
            + Settlement(world, book).problems.prefix(6).joined(separator: "; ")
    }

    /// The server that runs just now; waits until there is one.
    func server() async -> SimulatedServer {
        while true {
            if let server = state.withLock({ $0.server }), !server.life.isOver { return server }
            await pause(20...20)
        }
    }

    func pause(_ milliseconds: ClosedRange<Int>) async {
        // Nobody cancels a history.
        try? await clock.sleep(world.random.milliseconds(milliseconds))
    }

    // MARK: The run

    func play() async {
        setFaults()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.keepServerRunning() }
            phase("people and faults at work")
            await withTaskGroup(of: Void.self) { work in
                for number in 0..<world.random.number(1...3) {
                    work.addTask { await Person(history: self, number: number).work() }
                }
                work.addTask { await self.makeTrouble() }
            }
            phase("quiet")
            quieten()
            await settle()
            if laws.broken.isEmpty {
                phase("deleting everything")
                await Person(history: self, number: 99).deleteEverything()
                for problem in Settlement(world, book).remains { laws.isBroken("left over: \(problem)") }
            }
            Totals.shared.add(self)
            group.cancelAll()
            await state.withLock { $0.server }?.stop()
        }
        state.withLock { $0.isOver = true }
    }

    private func phase(_ name: String) {
        state.withLock { $0.phase = name }
        trace.note("-- \(name)")
    }

    /// Waits until everything is where it should be; a minute after the last fault nothing may be missing.
    private func settle() async {
        var problems: [String] = []
        for _ in 0..<60 {
            await pause(5_000...5_000)
            problems = Settlement(world, book).problems
            if problems.isEmpty, clock.elapsedMicroseconds > quietSince + 70_000_000 { return }
        }
        for problem in problems { laws.isBroken(problem) }
    }

    private var quietSince: Int64 { book.quietSince }

    // MARK: Faults

    private func setFaults() {
        let random = world.random
        /// Most runs have some faults, few have all.
        func some(_ probability: Double) -> Double { random.chance(0.5) ? probability : 0 }
        var faults = SimulatedFaults()
        faults.startMilliseconds = 2...random.number(5...800)
        faults.neverReady = some(0.1)
        faults.crash = some(0.15)
        faults.commandFails = some(0.1)
        faults.callFails = some(0.05)
        faults.replyLost = some(0.05)
        faults.callDoubled = some(0.1)
        faults.callSlow = some(0.1)
        world.runtime.faults = faults
        world.routeFaults.failing = some(0.05)
    }

    private func storeFaults() -> StoreFaults {
        guard !state.withLock({ $0.isQuiet }) else { return .none }
        let random = world.random
        var faults = StoreFaults()
        faults.writeFails = random.chance(0.3) ? 0.03 : 0
        faults.replyLost = random.chance(0.3) ? 0.03 : 0
        faults.writeSlow = random.chance(0.3) ? 0.1 : 0
        faults.readFails = random.chance(0.2) ? 0.02 : 0
        return faults
    }

    private func quieten() {
        world.runtime.faults = .none
        world.routeFaults.failing = 0
        book.quietSince = clock.elapsedMicroseconds
        state.withLock { state in
            state.isQuiet = true
            state.server?.store.faults = .none
            state.server?.store.spare()
        }
    }

    /// Starts a server whenever there is none.
    private func keepServerRunning() async {
        while !Task.isCancelled {
            if let server = state.withLock({ $0.server }) {
                guard server.life.isOver else {
                    await pause(10...10)
                    continue
                }
                await server.stop()
                await pause(50...1_000)
            }
            let server = SimulatedServer(world, storeFaults: storeFaults())
            if !state.withLock({ $0.isQuiet }), world.random.chance(0.7) {
                server.store.die(at: world.random.number(1...120), committed: world.random.chance(0.5))
            }
            trace.note("a server starts")
            state.withLock { $0.server = server }
            if await !server.start() { server.die() }
        }
    }

    /// What others do to the runtime, and a server that is killed or stopped at any moment.
    private func makeTrouble() async {
        let random = world.random
        for _ in 0..<random.number(0...8) {
            await pause(0...4_000)
            let place = random.pick(world.runtime.places)
            let service = place.flatMap { random.pick(world.runtime.statuses(of: $0).map(\.service)) }
            switch random.number(0...9) {
            case 0:
                trace.note("the server is killed")
                state.withLock { $0.server }?.die()
            case 1:
                trace.note("the server is stopped")
                await state.withLock { $0.server }?.stop()
            case 2, 3:
                guard let place else { break }
                trace.note("the supervisor of \(place) is killed")
                world.runtime.restartKeeper(of: place)
            case 4:
                guard let place, let service else { break }
                trace.note("\(service) of \(place) is killed")
                world.runtime.kill(service, of: place)
            case 5:
                guard let place, let service else { break }
                trace.note("\(service) of \(place) is lost")
                world.runtime.lose(service, of: place)
            case 6:
                let volumes = place.map { world.runtime.volumes(of: $0) } ?? []
                guard let place, let volume = random.pick(volumes) else { break }
                trace.note("the volume \(volume) of \(place) is lost")
                let parts = volume.split(separator: "/").map(String.init)
                world.runtime.loseVolume(parts[1], parts[0], of: place)
            case 7:
                guard let place else { break }
                trace.note("somebody damages the file of \(place)")
                world.runtime.damage(place)
            case 8:
                guard let place else { break }
                trace.note("somebody runs a stranger in \(place)")
                try? world.runtime.applyStranger("stranger", of: place)
            default:
                guard let place, let service else { break }
                trace.note("somebody else stops \(service) of \(place)")
                try? await world.runtime.stop(service, of: place)
            }
        }
    }
}
