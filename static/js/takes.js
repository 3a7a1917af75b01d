// Recordings that the server has not confirmed, kept by the browser: a reload, a crash or a day offline loses none.
// Where the browser keeps nothing for us (a private window), they last as long as the page, which then says so.

const NAME = "voiceflow-takes";
const STORE = "takes";

function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openDatabase() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "uploadId" });
  return answerOf(request);
}

export class Takes {
  static async open(person) {
    try {
      const database = await openDatabase();
      return new Takes(person, database);
    } catch {
      return new Takes(person, null);
    }
  }

  constructor(person, database) {
    this.person = person;
    this.database = database;
    this.memory = new Map();
  }

  // Whether they outlive the page.
  get isLasting() {
    return this.database !== null;
  }

  // Oldest first; of this person alone, for a browser may have several.
  async all() {
    const kept = this.database ? await this.read((store) => store.getAll()) : [...this.memory.values()];
    return kept.filter((take) => take.person === this.person).sort((one, other) => one.at - other.at);
  }

  // Keeps it, in place of another of the same sentence where one is named: the old one goes once the new one is safe.
  async put(take, replaced = null) {
    take.person = this.person;
    if (this.database) {
      try {
        await this.write((store) => {
          store.put(take);
          if (replaced) store.delete(replaced);
        });
        navigator.storage?.persist?.().catch(() => {});
        return;
      } catch {
        // The disk is full, or storage was closed meanwhile.
        this.fallBack(await this.all().catch(() => []));
      }
    }
    this.memory.set(take.uploadId, take);
    if (replaced) this.memory.delete(replaced);
  }

  async remove(uploadId) {
    this.memory.delete(uploadId);
    if (this.database) await this.write((store) => store.delete(uploadId));
  }

  fallBack(known) {
    this.database = null;
    for (const take of known) this.memory.set(take.uploadId, take);
  }

  read(ask) {
    return answerOf(ask(this.database.transaction(STORE).objectStore(STORE)));
  }

  write(act) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(STORE, "readwrite", { durability: "strict" });
      act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }
}
