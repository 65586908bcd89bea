/** A small desktop as a state machine: windows, focus, menus, text fields, files. The tasks of the benchmark are done on it. */

export class Desktop {
  windows = [];
  focus = undefined;
  menu = undefined;
  files = new Map();
  steps = 0;

  /** Carries out one action as a user interface would: what is not there cannot be clicked. Says whether it did anything. */
  act(action) {
    this.steps += 1;
    switch (action.type) {
      case 'open':
        if (this.windows.some(({ app }) => app === action.app)) return this.#focusOn(action.app);
        this.windows.push({ app: action.app, text: '', saved: true });
        return this.#focusOn(action.app);
      case 'focus':
        return this.#focusOn(action.app);
      case 'menu':
        if (this.focus === undefined) return false;
        this.menu = action.name;
        return true;
      case 'click':
        return this.#click(action);
      case 'type': {
        const window = this.#focused();
        if (window === undefined || this.menu !== undefined) return false;
        window.text += action.text;
        window.saved = false;
        return true;
      }
      case 'close': {
        const window = this.#focused();
        // As every editor: a window with unsaved text asks first.
        if (window === undefined || !window.saved) return false;
        this.windows = this.windows.filter((one) => one !== window);
        this.focus = this.windows.at(-1)?.app;
        return true;
      }
      default:
        return false;
    }
  }

  #click({ item, name }) {
    const window = this.#focused();
    if (window === undefined || this.menu !== 'file') return false;
    this.menu = undefined;
    if (item === 'save') {
      this.files.set(name, window.text);
      window.saved = true;
      return true;
    }
    if (item === 'load' && this.files.has(name)) {
      window.text = this.files.get(name);
      window.saved = true;
      return true;
    }
    return false;
  }

  #focusOn(app) {
    if (!this.windows.some((window) => window.app === app)) return false;
    this.focus = app;
    this.menu = undefined;
    return true;
  }

  #focused() {
    return this.windows.find(({ app }) => app === this.focus);
  }
}
