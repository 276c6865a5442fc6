import EnvironmentGraph
import Logging
import Runtimes
import Storage

/// Runs executions and keeps what runs equal to what is wanted.
///
/// An execution is stored with all its steps before anything happens, and every step is stored before and after it runs;
/// killed anywhere, the next server goes on from there. Two executions never work on one environment: the transaction that
/// stores a newer one ends the older one, whose run is cancelled and awaited before the newer one begins, and whose
/// ``Fence`` keeps it from writing meanwhile.
package actor Orchestrator {
    private let actions: StepActions
    private let store: any Store
    private let board: StatusBoard
    private let outside: Outside
    private let log: Logger
    /// Works on one environment's executions, one after the other.
    private struct Worker {
        var task: Task<Void, Never>?
        /// What runs just now.
        var execution: ExecutionID?
        var isUndoing = false
        var run: Task<Void, Never>?
        var isCalledAgain = false
    }

    /// Ended by `stop()`, or by themselves when nothing is left to do.
    private var workers: [EnvironmentID: Worker] = [:]
    private let reconciler: Reconciler
    /// Executions that reconciling made.
    private let made = AsyncStream.makeStream(of: ExecutionRecord.self)
    /// Ended by `stop()`.
    private var sweeping: [Task<Void, Never>] = []
    private var isStopped = false

    package init(actions: StepActions, log: Logger) {
        self.actions = actions
        store = actions.store
        board = actions.board
        outside = actions.outside
        self.log = log
        let made = made
        reconciler = Reconciler(actions: actions, log: log) { made.continuation.yield($0) }
    }

    /// Takes up what an earlier server left: watches every environment, which brings back what should run, and goes on
    /// with unfinished executions. Waits for no runtime and no gateway: one that hangs keeps nobody else waiting.
    package func start() async throws {
        let (environments, unfinished, deviating) = try await store.read {
            (
                try $0.outlines(), try $0.unfinishedExecutions(),
                Set(try $0.deviations(of: nil).filter { $0.state == .open }.map(\.environment))
            )
        }
        // One that runs nothing itself has nothing to be watched.
        for environment in environments where environment.state != .stopped && environment.wantedInstances != 0 {
            reconciler.watch(environment.id, hasOpenDeviations: deviating.contains(environment.id))
        }
        sweeping = [Task { await sweep() }, Task { await takeExecutions() }]
        for execution in unfinished {
            log.info("resuming execution", metadata: ["execution": "\(execution.id)"])
            submit(execution)
        }
    }

    /// Until cancelled: finds what slipped through, such as an execution that was stored although its write threw.
    private func sweep() async {
        // Cancelled: the sweeping is over.
        var round = 0
        while (try? await outside.sleep(round < 2 ? Self.firstSweeps : Self.sweepPeriod)) != nil {
            do {
                for execution in try await store.read({ try $0.unfinishedExecutions() }) { submit(execution) }
                try await reconciler.sweep(round: round)
            } catch {
                log.warning("could not sweep", metadata: ["error": "\(error)"])
            }
            round += 1
        }
    }

    /// Until `stop()`: works on what reconciling made.
    private func takeExecutions() async {
        for await execution in made.stream { submit(execution) }
    }

    /// Looks at an environment soon: a person wants to have something mended.
    package nonisolated func look(at id: EnvironmentID) { reconciler.look(at: id) }

    /// How often everything is compared, for the case that an event was missed.
    private static let sweepPeriod = Duration.seconds(30)
    /// What happened while no server was there is found soon after the start.
    private static let firstSweeps = Duration.seconds(3)

    /// Ends all work; executions stay as their last checkpoint says, services go on running.
    package func stop() async {
        isStopped = true
        made.continuation.finish()
        let tasks = workers.values.compactMap(\.task) + sweeping
        for task in workers.values.compactMap(\.run) + tasks { task.cancel() }
        await reconciler.stop()
        for task in tasks { await task.value }
    }

    /// Something that routes are made from has changed without an execution.
    package nonisolated func routesHaveChanged() { actions.routes.isStale() }

    /// Sees to it that the last execution of its environment is worked on; returns at once. What runs there is cancelled
    /// and has ended before another begins, or before the same one is undone.
    ///
    /// Level-triggered: what is worked on is what the store says, in whatever order this is called.
    package func submit(_ execution: ExecutionRecord) {
        guard !isStopped else { return }
        let id = execution.environment
        guard let worker = workers[id] else {
            workers[id] = Worker()
            workers[id]?.task = Task { await work(on: id) }
            return
        }
        let isKnown = worker.execution == execution.id && worker.isUndoing == (execution.state == .compensating)
        guard !isKnown else { return }
        workers[id]?.isCalledAgain = true
        worker.run?.cancel()
    }

    private func work(on id: EnvironmentID) async {
        var last: ExecutionID?
        while !isStopped {
            workers[id]?.isCalledAgain = false
            guard let execution = await unfinished(on: id) else {
                if workers[id]?.isCalledAgain == true { continue }
                break
            }
            // It came back unfinished without having been called again: not in a circle at full speed.
            if last == execution.id, workers[id]?.isCalledAgain == false {
                try? await outside.sleep(.milliseconds(200))
            }
            let run = Task { await self.run(execution.id) }
            workers[id]?.execution = execution.id
            workers[id]?.isUndoing = execution.state == .compensating
            workers[id]?.run = run
            await run.value
            workers[id]?.execution = nil
            workers[id]?.run = nil
            last = execution.id
        }
        workers[id] = nil
    }

    /// The last execution of an environment, where it has not ended. Asks the store until it answers.
    private func unfinished(on id: EnvironmentID) async -> ExecutionRecord? {
        while !isStopped {
            do {
                let last = try await store.read { try $0.lastExecutionWithoutSteps(of: id) }
                return last.flatMap { $0.state.isFinal ? nil : $0 }
            } catch {
                log.error("cannot read executions", metadata: ["environment": "\(id)", "error": "\(error)"])
                guard (try? await outside.sleep(.seconds(1))) != nil else { return nil }
            }
        }
        return nil
    }

    /// Until it is final or cancelled. When the store cannot be written, nothing can be recorded: it goes on from the last
    /// checkpoint as soon as the store can, with pauses up to 10 s.
    private func run(_ id: ExecutionID) async {
        var pause = Duration.milliseconds(200)
        while !isStopped, !Task.isCancelled {
            do {
                return try await runFromCheckpoint(id)
            } catch is FenceBroken {
                // Whoever claimed it goes on with it, or has ended it.
                return
            } catch {
                if Task.isCancelled { return }
                log.error("execution interrupted", metadata: ["execution": "\(id)", "error": "\(error)"])
            }
            guard (try? await outside.sleep(pause)) != nil else { return }
            pause = min(pause * 2, .seconds(10))
        }
    }

    private func runFromCheckpoint(_ id: ExecutionID) async throws {
        guard let execution = try await store.read({ try $0.execution(id) }), !execution.state.isFinal else { return }
        if execution.stateWhileRunning == .deleting {
            // Nobody may ask the runtime for it any more while it is being removed.
            await reconciler.unwatch(execution.environment)
        } else if let environment = try await store.read({ try $0.outline(of: execution.environment) }),
            environment.wantedInstances != 0
        {
            reconciler.watch(environment.id)
        }
        try await ExecutionRunner(actions: actions, log: log).run(id)
        guard execution.stateWhileRunning == .stopping,
            try await store.read({ try $0.environment(execution.environment)?.state }) == .stopped
        else {
            // What the runtime said in the meantime may not have counted in the state that it was in.
            return reconciler.look(at: execution.environment)
        }
        // Nothing runs that could change, and nobody needs a supervisor. What was last heard may be older.
        await reconciler.unwatch(execution.environment)
        board.forget(execution.environment)
    }
}
