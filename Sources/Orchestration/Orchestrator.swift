import EnvironmentGraph
import Logging
import Runtimes
import Storage

/// Runs executions and keeps what runs equal to what is wanted.
///
/// An execution is stored with all its steps before anything happens, and every step is stored before and after it runs;
/// killed anywhere, the next server goes on from there. Two executions never work on one environment: a delete cancels
/// the create that is under way, waits until it has ended, and then begins.
package actor Orchestrator {
    private let actions: StepActions
    private let store: any Store
    private let board: StatusBoard
    private let outside: Outside
    private let log: Logger
    /// Ended by `stop()`, or by themselves when their execution is final.
    private var running: [EnvironmentID: (execution: ExecutionID, task: Task<Void, Never>)] = [:]
    private let reconciler: Reconciler
    /// Ended by `stop()`.
    private var sweeping: Task<Void, Never>?
    private var isStopped = false

    package init(actions: StepActions, log: Logger) {
        self.actions = actions
        store = actions.store
        board = actions.board
        outside = actions.outside
        self.log = log
        reconciler = Reconciler(actions: actions, log: log)
    }

    /// Takes up what an earlier server left: watches every environment, which brings back what should run, and goes on
    /// with unfinished executions. Waits for no runtime and no gateway: one that hangs keeps nobody else waiting.
    package func start() async throws {
        let (environments, unfinished) = try await store.read {
            (try $0.environments(), try $0.unfinishedExecutions())
        }
        for environment in environments where environment.state != .stopped { reconciler.watch(environment) }
        sweeping = Task { [reconciler] in await reconciler.sweep() }
        for execution in unfinished {
            log.info("resuming execution", metadata: ["execution": "\(execution.id)"])
            submit(execution)
        }
    }

    /// Ends all work; executions stay as their last checkpoint says, services go on running.
    package func stop() async {
        isStopped = true
        let tasks = running.values.map(\.task) + [sweeping].compactMap { $0 }
        for task in tasks { task.cancel() }
        await reconciler.stop()
        for task in tasks { await task.value }
    }

    /// Runs a stored execution; returns at once. One that runs already is left alone. A delete cancels what runs on its
    /// environment and follows it; a create follows, and finds that it is not wanted any more.
    package func submit(_ execution: ExecutionRecord) {
        guard !isStopped else { return }
        let previous = running[execution.environment]
        guard previous?.execution != execution.id else { return }
        let task = Task {
            if let previous {
                if execution.kind == .delete { previous.task.cancel() }
                await previous.task.value
            }
            await run(execution.id)
            if running[execution.environment]?.execution == execution.id { running[execution.environment] = nil }
        }
        running[execution.environment] = (execution.id, task)
    }

    /// Until it is final or cancelled. When the store cannot be written, nothing can be recorded: it goes on from the last
    /// checkpoint as soon as the store can, with pauses up to 10 s.
    private func run(_ id: ExecutionID) async {
        var pause = Duration.milliseconds(200)
        while !isStopped {
            do {
                return try await runFromCheckpoint(id)
            } catch {
                log.error("execution interrupted", metadata: ["execution": "\(id)", "error": "\(error)"])
            }
            // Cancelled by a delete: that one follows, and this one is finished by the next start at the latest.
            guard (try? await outside.sleep(pause)) != nil else { return }
            pause = min(pause * 2, .seconds(10))
        }
    }

    private func runFromCheckpoint(_ id: ExecutionID) async throws {
        guard let execution = try await store.read({ try $0.execution(id) }), !execution.state.isFinal else { return }
        switch execution.kind {
        case .create, .retry, .resume, .stop, .update, .scale:
            if let environment = try await store.read({ try $0.environment(execution.environment) }) {
                reconciler.watch(environment)
            }
        case .delete:
            // Nobody may ask the runtime for it any more while it is being removed.
            await reconciler.unwatch(execution.environment)
        }
        try await ExecutionRunner(actions: actions, log: log).run(execution) { await self.isStopped }
        if execution.kind == .stop, try await store.read({ try $0.execution(id)?.state }) == .succeeded {
            // Nothing runs that could change, and nobody needs a supervisor. What was last heard may be older.
            await reconciler.unwatch(execution.environment)
            board.forget(execution.environment)
        } else {
            // What the runtime said in the meantime may not have counted in the state that it was in.
            reconciler.look(at: execution.environment)
        }
    }
}
