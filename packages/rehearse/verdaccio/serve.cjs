// Serves verdaccio on a socket of the file system, and says `ready` once it does. Arguments: its configuration, the socket,
// and the directory that has it installed.
const [configuration, socket, installed] = process.argv.slice(2)
const { runServer } = require(require.resolve("verdaccio", { paths: [installed] }))

runServer(configuration).then((server) => {
  server.listen(socket, () => console.log("ready"))
})
