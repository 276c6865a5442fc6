/// A service that was read, with the places that checks between services report at.
struct ServiceDraft {
    struct Mention {
        var service: String
        var condition: DependencySpec.Condition
        var origin: DependencySpec.Origin
        var location: SourceLocation
        /// How messages call the place: `dependsOn`, `env.DATABASE_URL`.
        var place: String
    }

    var spec: ServiceSpec
    /// Of the name.
    var location: SourceLocation
    var mentions: [Mention] = []
    /// Services that stand in `env` as literal addresses.
    var literals: Set<String> = []
    var secretReferences: [(name: String, location: SourceLocation)] = []
    /// By name, for the places of ports, secrets and the like.
    var portLocations: [String: SourceLocation] = [:]
    var secretLocations: [String: SourceLocation] = [:]
}
