/// What checking a Blueprint gave.
package struct CheckedBlueprint: Sendable {
    /// `nil` where there are errors.
    package var spec: BlueprintSpec?
    /// With everything that the parent gave; what removes something is carried out and gone.
    package var composed: BlueprintDocument
    /// The names of the services that this layer removes from its parent, sorted.
    package var removedServices: [String]
    /// All of them, sorted by position.
    package var diagnostics: [Diagnostic]

    package init(
        spec: BlueprintSpec?, composed: BlueprintDocument, removedServices: [String], diagnostics: [Diagnostic]
    ) {
        self.spec = spec
        self.composed = composed
        self.removedServices = removedServices
        self.diagnostics = diagnostics
    }
}
