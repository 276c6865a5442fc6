import EnvironmentGraph
import Storage

/// Who works on an execution: whoever claimed it last. Everything that an execution writes is written under its fence,
/// so that a run that was replaced (by an undo, a newer wish, another server) can write nothing any more, however late
/// it wakes (fencing tokens: Kleppmann, How to do distributed locking, 2016).
package struct Fence: Sendable, Hashable {
    package let execution: ExecutionID
    package let epoch: Int

    /// - Throws: ``FenceBroken`` where somebody else has claimed it since.
    package func check(_ store: any StoreReading) throws {
        guard try store.epoch(of: execution) == epoch else { throw FenceBroken() }
    }
}

/// Somebody else works on the execution now, or has ended it.
package struct FenceBroken: Error, Sendable {}
