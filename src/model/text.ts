/** A sentence for a technician, in each language the product speaks. */
export interface Text {
  readonly en: string;
  readonly fr: string;
}

export type Language = keyof Text;
