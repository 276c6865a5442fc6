import EnvironmentGraph

/// The few things about an environment that a reconciler looks at while all is well.
package struct EnvironmentOutline: Sendable, Hashable {
    package var id: EnvironmentID
    package var state: EnvironmentState
    /// How many instances it runs itself; `nil` in rows from before this was kept.
    package var wantedInstances: Int?

    package init(id: EnvironmentID, state: EnvironmentState, wantedInstances: Int?) {
        self.id = id
        self.state = state
        self.wantedInstances = wantedInstances
    }
}
