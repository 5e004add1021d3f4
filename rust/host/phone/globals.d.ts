/** Globals that are there before the prelude runs. */
declare function setTimeout(callback: () => void, delayMs?: number): number;
declare function clearTimeout(id: number | undefined): void;
declare function atob(text: string): string;
declare function btoa(text: string): string;
