import API
import Testing

@testable import ControlPlane

@Suite struct RouterTests {
    private let router = Router()

    @Test(arguments: API.Operation.allCases)
    func everyOperationOfTheCatalogueHasItsRoute(_ operation: API.Operation) {
        let path = operation.path.replacing("{environment}", with: "a").replacing("{baseline}", with: "a")
            .replacing("{execution}", with: "a")
        guard case .operation(let found, let parameters) = router.match(operation.method, path) else {
            Issue.record("no route for \(operation)")
            return
        }
        #expect(found == operation)
        let wanted = operation.path.count { $0 == "{" }
        #expect(parameters.count == wanted)
    }

    @Test func namesAreDecoded() {
        guard case .operation(.getEnvironment, let parameters) = router.match("GET", "/v1/environments/a%20b") else {
            Issue.record("no match")
            return
        }
        #expect(parameters == ["a b"])
    }

    @Test func unknownPathsAndMethodsAreToldApart() {
        guard case .noSuchPath = router.match("GET", "/v1/nothing") else {
            Issue.record("matched")
            return
        }
        guard case .noSuchMethod(let allowed) = router.match("PUT", "/v1/environments") else {
            Issue.record("matched")
            return
        }
        #expect(allowed.sorted() == ["GET", "POST"])
        guard case .noSuchPath = router.match("GET", "/v1/environments/%zz") else {
            Issue.record("matched")
            return
        }
    }
}
