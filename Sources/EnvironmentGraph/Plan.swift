import Blueprints

/// Ordered steps, each with its reason. Planning twice is planning once.
package struct Plan: Sendable, Hashable, Codable {
    package var steps: [PlannedStep]

    package init(steps: [PlannedStep]) { self.steps = steps }

    /// Whether nothing of a service starts, stops or is initialised. What may be left (handing out routes, sweeping up) finds
    /// everything as it should be.
    package var isEmpty: Bool {
        steps.allSatisfy { step in
            switch step.action {
            case .startService, .awaitService, .initialise, .stopService, .removeResources, .releasePorts, .discard:
                false
            case .allocatePorts, .publishRoutes, .openRoutes, .closeRoutes, .stopStrays, .trimPorts: true
            }
        }
    }
}

package struct PlannedStep: Sendable, Hashable, Codable {
    package enum Action: Sendable, Hashable, Codable {
        /// Give every service and every address its port.
        case allocatePorts
        /// Hand the routing table to the gateways.
        case publishRoutes
        case startService(String)
        /// Wait until a started service is ready.
        case awaitService(String)
        /// The n-th initialiser of a service, from 0.
        case initialise(String, index: Int)
        /// Make the environment's own services answer.
        case openRoutes
        case closeRoutes
        case stopService(String)
        /// Stop whatever runs of the environment that the present spec does not want; everything while it stops.
        case stopStrays
        /// Remove everything that the runtime has of the environment.
        case removeResources
        /// Give the ports back; with them goes the environment itself.
        case releasePorts
        /// Give back the ports that the present spec has no purpose for.
        case trimPorts
        /// Undo what made an environment: remove everything that the runtime has of it, its ports, and itself.
        case discard
    }

    /// Deterministic: the same plan gives the same keys, such as `service/payments/start`.
    package var key: String
    package var title: String
    package var reason: String
    package var action: Action
    /// Keys of the steps that must have succeeded before.
    package var needs: [String]
    /// What takes its effect back; `nil` where there is none, or another step's compensation takes it back too.
    package var compensation: Action?

    package init(
        key: String, title: String, reason: String, action: Action, needs: [String], compensation: Action? = nil
    ) {
        self.compensation = compensation
        self.key = key
        self.title = title
        self.reason = reason
        self.action = action
        self.needs = needs
    }
}
