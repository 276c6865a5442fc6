/// How much one Blueprint may extend. Past a limit, the item of `extends` that reaches it is refused.
package struct LayerLimits: Sendable {
    /// Layers that extend one another.
    package var depth = 16
    /// Layers in all, each counted once.
    package var count = 64
    /// Of all their texts together.
    package var bytes = 4 << 20

    package init() {}
}
