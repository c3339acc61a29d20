import io.ktor.http.HttpStatusCode
import io.ktor.serialization.kotlinx.json.json
import io.ktor.server.application.install
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.plugins.BadRequestException
import io.ktor.server.plugins.contentnegotiation.ContentNegotiation
import io.ktor.server.plugins.statuspages.StatusPages
import io.ktor.server.request.receive
import io.ktor.server.response.respond
import io.ktor.server.routing.delete
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.put
import io.ktor.server.routing.route
import io.ktor.server.routing.routing
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.Serializable

@Serializable
enum class Protocol { HTTP, WEBSOCKET, UDP }

@Serializable
data class Address(val protocol: Protocol, val host: String, val port: Int)

@Serializable
data class Registration(val user: String, val address: Address)

@Serializable
data class Ok(val status: String = "ok")

@Serializable
data class Failure(val message: String?, val status: String = "error")

class NameTaken : Exception("The name is taken.")

private val legalName = Regex("[a-zA-Z0-9_.-]{1,64}")

private fun checkName(name: String) {
    if (!legalName.matches(name)) throw BadRequestException("The name is not legal.")
}

/** The registry's four routes, in the style of Ktor's documentation. */
fun main() {
    val users = ConcurrentHashMap<String, Address>()
    val server = embeddedServer(Netty, port = 0, host = "127.0.0.1") {
        install(ContentNegotiation) { json() }
        install(StatusPages) {
            exception<BadRequestException> { call, cause ->
                call.respond(HttpStatusCode.BadRequest, Failure(cause.message))
            }
            exception<NameTaken> { call, cause ->
                call.respond(HttpStatusCode.Conflict, Failure(cause.message))
            }
        }
        routing {
            route("/v1/users") {
                post {
                    val (user, address) = call.receive<Registration>()
                    checkName(user)
                    if (users.putIfAbsent(user, address) != null) throw NameTaken()
                    call.respond(Ok())
                }
                get("/") { call.respond<Map<String, Address>>(users) }
                put("/{user}") {
                    val user = call.parameters["user"].orEmpty()
                    checkName(user)
                    users[user] = call.receive<Address>()
                    call.respond(Ok())
                }
                delete("/{user}") {
                    users.remove(call.parameters["user"].orEmpty())
                    call.respond(Ok())
                }
            }
        }
    }
    server.start(wait = false)
    val port = runBlocking { server.engine.resolvedConnectors().first().port }
    println("ready at http://127.0.0.1:$port")
    Thread.currentThread().join()
}
