// Shows greeting.txt three times: as Vite, the API and the database of this worktree have it.
import greeting from '../greeting.txt?raw';

const show = (id, text) => (document.getElementById(id).textContent = text.trim());

show('page', greeting);
try {
  // From portalloc.toml. Vite hands variables that begin with VITE_ to the page.
  const answer = await fetch(`${import.meta.env.VITE_API_URL}/greeting`);
  const { api, database } = await answer.json();
  show('api', api);
  show('database', database);
} catch (error) {
  show('api', `${error}`);
}
