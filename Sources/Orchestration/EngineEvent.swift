import EnvironmentGraph

/// What the engine tells whoever counts.
package enum EngineEvent: Sendable {
    /// A checkpoint of a step, whatever state it is in.
    case stepStored(StepRecord)
    /// The reconciler has compared one environment with what is wanted of it.
    case looked
    /// It has applied a service that was lost.
    case appliedAgain
}
